{{- define "gotask.selector" -}}
app: gotask
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "gotask.labels" -}}
{{ include "gotask.selector" . }}
app.kubernetes.io/name: gotask
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "gotask.image" -}}
{{- $image := .service.image | default dict -}}
{{ $image.repository | default (printf "%s/gotask-%s" .root.Values.image.registry .name) }}:{{ $image.tag | default .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- define "gotask.pods" -}}
app: gotask
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
