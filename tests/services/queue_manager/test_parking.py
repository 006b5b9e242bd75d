"""Parked claims: who is tried when, and who is let go."""

from gotask.queue_manager.parking import ParkedClaim, Parking


def claim(worker: str, *queues: str, capacity: int = 2) -> ParkedClaim:
    return ParkedClaim(worker, queues or ("q",), capacity, "reply", deadline_us=100)


def test_a_first_claim_is_tried_and_the_next_waits_behind_it() -> None:
    parking = Parking()
    first, second = claim("a"), claim("b")
    parking.park(first)
    assert parking.take(9) == [first]
    assert parking.put_back([first]) == []
    parking.park(second)
    assert parking.take(9) == []


def test_a_hint_wakes_as_many_claims_as_it_has_jobs_for_the_oldest_first() -> None:
    parking = Parking()
    claims = [claim(name) for name in "abc"]
    for one in claims:
        parking.park(one)
    parking.put_back(parking.take(9))
    assert parking.wake({"other": 5}) is False
    assert parking.wake({"q": 3}) is True
    assert parking.take(9) == claims[:2]


def test_where_one_claim_got_nothing_the_others_are_not_tried_again_and_again() -> None:
    parking = Parking()
    claims = [claim(name) for name in "abc"]
    for one in claims:
        parking.park(one)
    parking.put_back(parking.take(9))
    parking.wake({"q": 1_000_000})
    assert parking.take(9) == claims
    parking.wake({"q": 3})
    parking.put_back(claims)
    assert parking.take(9) == claims[:2]
    parking.put_back(claims[:2])
    assert parking.take(9) == []


def test_a_withdrawn_claim_is_let_go_also_while_it_is_tried() -> None:
    parking = Parking()
    tried, parked, other = claim("a"), claim("a", "elsewhere"), claim("b")
    parking.park(tried)
    assert parking.take(1) == [tried]
    parking.park(parked)
    parking.park(other)
    assert parking.withdraw("a") == [parked]
    assert parking.put_back([tried]) == [tried]
    assert len(parking) == 1


def test_overdue_claims_are_taken_out() -> None:
    parking = Parking()
    parking.park(claim("a"))
    assert list(parking.overdue(99)) == []
    assert [late.worker for late in parking.overdue(100)] == ["a"]
    assert len(parking) == 0
