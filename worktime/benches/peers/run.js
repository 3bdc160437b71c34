// Turns through the starts for about a second, after one turn to get warm; prints how many a second, and the first answer.
module.exports = (given, deadline) => {
  const first = deadline(given.starts[0]);
  given.starts.forEach(deadline);
  const began = process.hrtime.bigint();
  let done = 0;
  while (process.hrtime.bigint() - began < 1_000_000_000n) {
    for (let turn = 0; turn < 20; turn += 1) {
      deadline(given.starts[done % given.starts.length]);
      done += 1;
    }
  }
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  console.log(JSON.stringify({ rate: done / seconds, first }));
};
