// Next ticks a second of the cron libraries of npm: one line of JSON for each. Reads {"zone", "expressions", "starts"}.
const { Cron } = require("croner");
const { CronExpressionParser } = require("cron-parser");
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const starts = given.starts.map((start) => new Date(start * 1000));
const croner = given.expressions.map((expression) => new Cron(expression, { timezone: given.zone, paused: true, legacyMode: true }));
const parsed = given.expressions.map((expression) => CronExpressionParser.parse(expression, { tz: given.zone }));
const turn = (name, next) => {
  const first = given.expressions.map((_, index) => next(index, starts[index % starts.length]).getTime() / 1000);
  const began = process.hrtime.bigint();
  let done = 0;
  while (process.hrtime.bigint() - began < 1_000_000_000n) {
    for (let turns = 0; turns < 20; turns += 1) {
      next(done % given.expressions.length, starts[done % starts.length]);
      done += 1;
    }
  }
  const rate = done / (Number(process.hrtime.bigint() - began) / 1e9);
  console.log(JSON.stringify({ name, rate, first }));
};
turn("croner", (index, start) => croner[index].nextRun(start));
turn("cron-parser", (index, start) => {
  parsed[index].reset(start);
  return parsed[index].next().toDate();
});
