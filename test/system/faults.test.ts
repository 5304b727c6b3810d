/** Trainer and hub are killed in the middle of a study: it has the numbers of one that nobody killed, and nothing is left behind. */
import { linkSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fromWireNumber } from '@mealtable/protocol/wire-number';
import { afterAll, expect, it } from 'vitest';
import { readRecords } from '../../trainer/train/record-reader.ts';
import { makeDataDir, processesIn, removeDataDir, signInApi, startHubProcess, until } from '../support/hub-process.ts';
import { smallStudy } from '../support/small-study.ts';
import { type Point, storedPoints, studyNumbers } from '../support/study-numbers.ts';

const dataDir = makeDataDir();
const attemptsDir = path.join(dataDir, 'agent', 'attempts');
const keptDir = path.join(dataDir, 'kept');
afterAll(() => removeDataDir(dataDir));

/** A second name for each record file as soon as it is there: the agent deletes its own once all is delivered. */
function keepRecordFiles() {
  let names: string[] = [];
  try {
    names = readdirSync(attemptsDir);
  } catch {
    return; // no attempt yet
  }
  for (const name of names) {
    try {
      linkSync(path.join(attemptsDir, name, 'records.jsonl'), path.join(keptDir, name));
    } catch {
      // not written yet, or linked already
    }
  }
}

/** What the trainers of a run wrote, less what a later attempt went back before. */
function writtenPoints(runId: string, startSteps: Map<number, number>): Point[] {
  const points: Point[] = [];
  for (const [attempt] of startSteps) {
    const later = [...startSteps].filter(([a]) => a > attempt).map(([, step]) => step);
    const { records } = readRecords(path.join(keptDir, `${runId}.${attempt}`), 0);
    for (const record of records) {
      if (record.kind !== 'metrics' || later.some((start) => record.step > start)) continue;
      const values = Object.fromEntries(Object.entries(record.values).map(([k, v]) => [k, fromWireNumber(v)]));
      points.push({ attempt, seq: record.seq, step: record.step, epoch: record.epoch, values });
    }
  }
  return points;
}

it('loses no point, stores none twice and has the undisturbed study’s numbers when the trainer and then the hub are killed', async () => {
  mkdirSync(keptDir);
  const keeper = setInterval(keepRecordFiles, 20);
  let hub = await startHubProcess(dataDir);
  const port = Number(new URL(hub.url).port);
  let api = await signInApi(hub);
  await until('the local host', async () => (await api.hosts.list.query())[0]?.datasets.length);
  const { id } = await api.studies.create.mutate({
    name: 'Killed twice',
    notes: '',
    design: smallStudy({ epochs: 4 }),
  });
  const end = (of: string) =>
    until(
      'the end of the study',
      async () => {
        const view = await api.studies.get.query({ id: of });
        return view.runs.every((r) => ['succeeded', 'failed', 'cancelled'].includes(r.status)) && view;
      },
      300_000,
    );

  // The first student, once a checkpoint of it has arrived, so that there is something to go on from.
  const victim = await until('a student with a stored checkpoint', async () => {
    const { runs } = await api.studies.get.query({ id });
    for (const run of runs.filter((r) => r.role === 'student' && r.status === 'running')) {
      const detail = await api.runs.get.query({ id: run.id });
      if (detail.checkpoints.some((c) => c.complete)) return run;
    }
    return null;
  });
  const trainer = JSON.parse(readFileSync(path.join(attemptsDir, `${victim.id}.1`, 'trainer.json'), 'utf8'));
  process.kill(trainer.process.pid, 'SIGKILL');
  await until('the second attempt', async () => {
    const run = await api.runs.get.query({ id: victim.id });
    return run.attempt === 2 && run.status === 'running';
  });

  await hub.end('SIGKILL');
  const sizes = () =>
    readdirSync(attemptsDir).map((name) => readFileSync(path.join(attemptsDir, name, 'records.jsonl')).length);
  const before = sizes().reduce((a, b) => a + b, 0);
  await until('records written without a hub', async () => sizes().reduce((a, b) => a + b, 0) > before + 2_000);
  hub = await startHubProcess(dataDir, port);
  api = await signInApi(hub);

  const study = await end(id);
  clearInterval(keeper);
  expect(study.runs.map((r) => [r.variantLabel, r.status, r.failureMessage])).toEqual(
    study.runs.map((r) => [r.variantLabel, 'succeeded', null]),
  );

  const killed = await api.runs.get.query({ id: victim.id });
  expect(killed.attempts.map((a) => [a.attempt, a.outcome, a.failureCode, a.signal])).toEqual([
    [1, 'failed', 'trainer_killed', 'SIGKILL'],
    [2, 'succeeded', null, null],
  ]);
  expect(killed.attempts[1]!.startStep).toBeGreaterThan(0);

  for (const run of study.runs) {
    const { attempts, totalSteps } = await api.runs.get.query({ id: run.id });
    const written = writtenPoints(run.id, new Map(attempts.map((a) => [a.attempt, a.startStep])));
    const stored = await storedPoints(api, run.id);
    expect(stored).toEqual(written);
    expect(written.length).toBeGreaterThan(20);
    expect(Math.max(...stored.map((p) => p.step))).toBe(totalSteps);
  }

  const again = await api.studies.create.mutate({ name: 'Undisturbed', notes: '', design: smallStudy({ epochs: 4 }) });
  await end(again.id);
  const undisturbed = await studyNumbers(api, again.id);
  expect(Object.keys(undisturbed.curves).length).toBeGreaterThan(20);
  expect(await studyNumbers(api, id)).toEqual(undisturbed);

  await hub.end('SIGTERM');
  expect(readdirSync(attemptsDir)).toEqual([]);
  expect(processesIn(dataDir)).toEqual([]);
});
