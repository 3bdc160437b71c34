// moment-business-time: the same week and holidays, one target from each start; it knows neither pauses nor make-up days.
const moment = require("moment");
require("moment-business-time");
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const workinghours = {};
given.week.forEach((shifts, day) => {
  workinghours[day] = shifts.length ? shifts.flat().map((time) => time + ":00") : null;
});
moment.updateLocale("en", { workinghours, holidays: given.holidays });
require("./run.js")(given, (start) => moment(start).addWorkingTime(given.minutes, "minutes").valueOf() / 1000);
