-- Returns when the first schedule or open fire can be taken.
local fire = call('ZRANGE', FIRES, 0, 0, 'WITHSCORES')[2]
local offer = call('ZRANGE', OPEN_FIRES, 0, 0, 'WITHSCORES')[2]
if fire and offer then return tonumber(fire) < tonumber(offer) and fire or offer end
return fire or offer
