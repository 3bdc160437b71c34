# businesstimedelta: the same week and holidays, one target from each start; it knows neither pauses nor make-up days.
import datetime
import json
import sys
import time

import businesstimedelta
import pytz

given = json.load(sys.stdin)
zone = pytz.timezone("Asia/Shanghai")


def clock(text):
    return datetime.time(*map(int, text.split(":")))


# The library has a working day with breaks: shifts are grouped by day.
rules = []
for day, shifts in enumerate(given["week"]):
    day = (day + 6) % 7
    if not shifts:
        continue
    begin, end = clock(shifts[0][0]), clock(shifts[-1][1])
    rules.append(businesstimedelta.WorkDayRule(start_time=begin, end_time=end, working_days=[day], tz=zone))
    for before, after in zip(shifts, shifts[1:]):
        rules.append(
            businesstimedelta.LunchTimeRule(start_time=clock(before[1]), end_time=clock(after[0]), working_days=[day], tz=zone)
        )
dates = {datetime.date.fromisoformat(text) for text in given["holidays"]}
rules.append(businesstimedelta.HolidayRule(dates, tz=zone))
rules = businesstimedelta.Rules(rules)
starts = [zone.localize(datetime.datetime.fromisoformat(text)) for text in given["starts"]]
target = businesstimedelta.BusinessTimeDelta(rules, seconds=given["minutes"] * 60)
first = (starts[0] + target).timestamp()
for start in starts[:20]:
    start + target
began, done = time.process_time(), 0
while time.process_time() - began < 1:
    for turn in range(5):
        starts[done % len(starts)] + target
        done += 1
print(json.dumps({"rate": done / (time.process_time() - began), "first": first}))
