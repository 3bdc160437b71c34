// dayjs-business-time: the same week and holidays, one target from each start; it knows neither pauses nor make-up days.
const dayjs = require("dayjs");
dayjs.extend(require("dayjs-business-time"));
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const names = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const week = {};
names.forEach((name, day) => {
  const shifts = given.week[day].map(([start, end]) => ({ start: start + ":00", end: end + ":00" }));
  week[name] = shifts.length ? shifts : null;
});
dayjs.setBusinessTime(week);
dayjs.setHolidays(given.holidays);
require("./run.js")(given, (start) => dayjs(start).addBusinessMinutes(given.minutes).valueOf() / 1000);
