// Effects a second of the job queues of npm that keep their jobs in PostgreSQL: one line of JSON for each. Reads {"url", "jobs", "connections"}.
// A job's effect is a row under the job's id, so that a job that is done twice has it once: what the fact's inbox is for ours.
const { Logger, run, runMigrations } = require("graphile-worker");
const { Pool } = require("pg");
const PgBoss = require("pg-boss");
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const pool = new Pool({ connectionString: given.url, max: given.connections });
const rest = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const effect = (id, { subject, etag }) =>
  pool.query("INSERT INTO job_effects (id, subject, etag) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", [id, subject, etag]);
const done = async () => Number((await pool.query("SELECT count(*) FROM job_effects")).rows[0].count);
const data = (number) => ({ subject: `agencies/gz/devices/d-${number}`, etag: String(number) });

const measure = async (name, begin) => {
  await pool.query("DROP TABLE IF EXISTS job_effects");
  await pool.query("CREATE TABLE job_effects (id text PRIMARY KEY, subject text NOT NULL, etag text NOT NULL)");
  const end = await begin();
  let first = 0;
  while ((first = await done()) === 0) await rest(5);
  const began = process.hrtime.bigint();
  let last = first;
  while ((last = await done()) < given.jobs) await rest(100);
  const rate = (last - first) / (Number(process.hrtime.bigint() - began) / 1e9);
  await end();
  console.log(JSON.stringify({ name, rate }));
};

const graphile = async () => {
  await runMigrations({ pgPool: pool });
  await pool.query(
    `SELECT graphile_worker.add_job('effect', json_build_object('subject', 'agencies/gz/devices/d-' || n, 'etag', n::text))
     FROM generate_series(1, $1::int) n`,
    [given.jobs],
  );
  const runner = await run({
    pgPool: pool,
    logger: new Logger(() => () => {}),
    noHandleSignals: true,
    taskList: { effect: (payload, helpers) => effect(String(helpers.job.id), payload) },
    preset: {
      worker: { concurrentJobs: given.connections, localQueue: { size: 500 }, completeJobBatchDelay: 0, pollInterval: 100 },
    },
  });
  return () => runner.stop();
};

const boss = async () => {
  const boss = new PgBoss({ connectionString: given.url, max: given.connections });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  await boss.createQueue("effect");
  await boss.insert(Array.from({ length: given.jobs }, (_, number) => ({ name: "effect", data: data(number) })));
  await boss.work("effect", { batchSize: 1000, pollingIntervalSeconds: 0.5 }, (jobs) =>
    Promise.all(jobs.map((job) => effect(job.id, job.data))),
  );
  return () => boss.stop({ graceful: false });
};

(async () => {
  await measure("graphile-worker", graphile);
  await measure("pg-boss", boss);
  process.exit(0);
})();
