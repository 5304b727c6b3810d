/** Sixteen runs and their teacher leave nothing behind: no process, no open file, no temporary file. */
import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import {
  makeDataDir,
  memoryOf,
  processesIn,
  removeDataDir,
  signInApi,
  startHubProcess,
  until,
} from '../support/hub-process.ts';
import { smallStudy } from '../support/small-study.ts';

const dataDir = makeDataDir();
const stateDir = path.join(dataDir, 'agent');
afterAll(() => removeDataDir(dataDir));

/** Sockets and pipes come and go with connections; files are what leaks when a stream is not closed. */
const openFilesOf = (pid: number) =>
  readdirSync(`/proc/${pid}/fd`)
    .flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return []; // closed meanwhile
      }
    })
    .filter((target) => target.startsWith(dataDir))
    .sort();

it('leaves no process, open file or temporary file after 16 distillations, and stays small', async () => {
  const tempDir = path.join(dataDir, 'tmp');
  mkdirSync(tempDir);
  const hub = await startHubProcess(dataDir, 0, { TMPDIR: tempDir });
  const api = await signInApi(hub);
  await until('the local host', async () => (await api.hosts.list.query())[0]?.datasets.length);
  const agentPid: number = JSON.parse(readFileSync(path.join(stateDir, 'agent.lock'), 'utf8')).pid;
  const postgresPid = Number(
    readFileSync(path.join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0],
  );
  const before = { hub: openFilesOf(hub.process.pid!), agent: openFilesOf(agentPid) };
  // The bar for a hub with one idle agent, Postgres included.
  expect(memoryOf([hub.process.pid!, agentPid, postgresPid])).toBeLessThan(500e6);

  const design = smallStudy({ epochs: 1, seeds: [0, 1, 2, 3] });
  design.factors.inputSize = [16, 20];
  const { id } = await api.studies.create.mutate({ name: 'Sixteen', notes: '', design });
  const study = await until(
    'the end of 17 runs',
    async () => {
      const view = await api.studies.get.query({ id });
      return view.runs.every((run) => run.status === 'succeeded' || run.status === 'failed') && view;
    },
    400_000,
  );
  expect(study.runs.map((run) => run.status)).toEqual(Array(17).fill('succeeded'));

  await until('the attempts to be cleared away', async () => readdirSync(path.join(stateDir, 'attempts')).length === 0);
  expect({ hub: openFilesOf(hub.process.pid!), agent: openFilesOf(agentPid) }).toEqual(before);
  expect(processesIn(stateDir).map((line) => line.split(' ', 1)[0])).toEqual([String(agentPid)]);

  expect(await hub.end('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(processesIn(dataDir)).toEqual([]);
  expect(readdirSync(tempDir)).toEqual([]);
  const unfinished = readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter((f) =>
    /\.(tmp|part)(\.|$)/.test(f),
  );
  expect(unfinished).toEqual([]);
});
