/** The host agent: `node dist/agent.js --hub URL --token TOKEN`. Reads flags, machine and clock, and puts the parts together. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { PROTOCOL_VERSION } from '@mealtable/protocol/tunables';
import { datasetCacheFolder } from '../data/open-dataset.ts';
import { labelsFolder } from '../labels/folder.ts';
import trainerPackage from '../package.json' with { type: 'json' };
import { obtainableWeights } from '../weights/sources/obtainable-weights.ts';
import { Agent } from './agent.ts';
import type { AttemptDir } from './attempt-dir.ts';
import { BlobCache } from './blob-cache.ts';
import { BlobClient } from './blob-client.ts';
import { buildVersion } from './build-version.ts';
import { DatasetWatch } from './dataset-watch.ts';
import { describeDataset, findDatasets } from './datasets.ts';
import { DeviceWatch } from './device-watch.ts';
import { type AgentEnv, parseAgentEnv, USAGE } from './env.ts';
import { AGENT_EXIT, AgentExit } from './exit-codes.ts';
import { loadHostId } from './host-id.ts';
import { describeHost, type Host, type Slot } from './host-report.ts';
import { makeImageCheck } from './image-check.ts';
import { LabelWatch } from './label-watch.ts';
import { agentLimits } from './limits.ts';
import { takeLock } from './lock.ts';
import { makeLog } from './log.ts';
import { findShim } from './shim.ts';
import { makeHostMeter } from './telemetry/make-host-meter.ts';
import { isOfTrainer, type TrainerCommand } from './trainer-process.ts';

const log = makeLog((text) => process.stdout.write(text), Date.now);
// The reader of a pipe may be gone, for example a hub that was killed: the agent and its trainers go on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

async function main(): Promise<number> {
  const env = parseAgentEnv(process.argv.slice(2), process.env, import.meta.dirname);
  if (!env) {
    process.stdout.write(`${USAGE}\n`);
    return AGENT_EXIT.ok;
  }
  openStateDir(env.stateDir);
  const unlock = takeLock(env.stateDir);
  try {
    return await attach(env);
  } finally {
    unlock();
  }
}

function openStateDir(stateDir: string): void {
  try {
    mkdirSync(stateDir, { recursive: true });
  } catch (error) {
    throw new AgentExit(AGENT_EXIT.stateFolder, `The state folder cannot be made: ${(error as Error).message}`);
  }
}

async function attach(env: AgentEnv): Promise<number> {
  const attemptsDir = join(env.stateDir, 'attempts');
  const datasets = new DatasetWatch({
    find: () => findDatasets(env.datasets, env.datasetsDir, import.meta.dirname),
    cacheFolder: datasetCacheFolder(process.env),
    checkImages: makeImageCheck(join(dirname(env.trainer), 'check-images.js'), log),
  });
  await datasets.refresh(agentLimits.datasetPatienceMs);
  const labels = new LabelWatch(labelsFolder(process.env), log);
  // Many labels take longer to count: the hub hears of them when that is done.
  await Promise.race([labels.refresh(), sleep(agentLimits.datasetPatienceMs, undefined, { ref: false })]);
  const weightsEnv = {
    ...process.env,
    ...(env.weightsDir !== null && { MEALTABLE_WEIGHTS_DIR: env.weightsDir }),
  };
  const host = await describeHost({
    ...env,
    datasets,
    labels,
    weights: obtainableWeights(weightsEnv),
    visibleDevices: process.env.CUDA_VISIBLE_DEVICES,
    engine: process.env.MEALTABLE_ENGINE,
    watchDevices: (gpus) =>
      new DeviceWatch({
        gpus,
        isOurs: (pid) => isOfTrainer(pid, attemptsDir),
        log,
        monotonicNow: () => performance.now(),
      }),
  });
  log(
    `Host ${host.report.name}: ${host.slots.length} slots, ${host.report.gpus.length} GPUs, state in ${env.stateDir}.`,
  );
  logDatasets(host);
  const blobs = new BlobClient({
    hub: env.hub,
    token: env.token,
    cache: new BlobCache(join(env.stateDir, 'blobs'), agentLimits.blobCacheBytes),
    limits: agentLimits,
    log,
  });
  const agent = new Agent({
    hub: env.hub,
    auth: {
      token: env.token,
      protocolVersion: PROTOCOL_VERSION,
      agentVersion: buildVersion(trainerPackage.version, [import.meta.filename, env.trainer]),
      hostId: loadHostId(env.stateDir, Date.now()),
    },
    host,
    attemptsDir,
    limits: agentLimits,
    log,
    blobs,
    shim: await findShim(import.meta.dirname, log),
    commandFor: (dir, slot) => trainerCommand(env, dir, slot),
    meter: makeHostMeter(host.gpus, attemptsDir, log),
    monotonicNow: () => performance.now(),
    orphanExitMs: env.orphanExitMs,
    oneRun: env.oneRun,
  });
  let isAsked = false;
  // USR2 is what a batch system sends before the time of a job is over.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGUSR2'] as const)
    process.on(signal, () => {
      // Impatience costs nothing but time: files stay, and the next agent goes on from them.
      if (isAsked) process.exit(AGENT_EXIT.impatient);
      isAsked = true;
      void agent.stop();
    });
  // Another agent takes over, as when a new version is installed.
  process.on('SIGHUP', () => agent.handOver());
  void followDatasets(datasets, host, agent);
  void followLabels(labels, host, agent);
  void followWeights(weightsEnv, host, agent);
  return agent.run();
}

/** As long as the agent runs: the hub hears of every dataset that comes, changes or goes. */
async function followDatasets(datasets: DatasetWatch, host: Host, agent: Agent): Promise<void> {
  for (;;) {
    await sleep(agentLimits.datasetRescanMs, undefined, { ref: false });
    if (!(await datasets.refresh(agentLimits.datasetPatienceMs))) continue;
    host.report.datasets = datasets.reports;
    logDatasets(host);
    agent.announce();
  }
}

/** As long as the agent runs: the hub hears of soft labels that were added or deleted. */
async function followLabels(labels: LabelWatch, host: Host, agent: Agent): Promise<void> {
  for (;;) {
    if (await labels.refresh()) {
      host.report.labelSets = labels.reports;
      agent.announce();
    }
    await sleep(agentLimits.labelRescanMs, undefined, { ref: false });
  }
}

/** As long as the agent runs: the hub hears of weights files that people put here or take away. */
async function followWeights(env: NodeJS.ProcessEnv, { report }: Host, agent: Agent): Promise<void> {
  for (;;) {
    await sleep(agentLimits.datasetRescanMs, undefined, { ref: false });
    const weights = obtainableWeights(env);
    if (isDeepStrictEqual(weights, report.weights)) continue;
    report.weights = weights;
    agent.announce();
  }
}

function logDatasets({ report }: Host): void {
  for (const dataset of report.datasets) log(`Dataset ${dataset.name}: ${describeDataset(dataset)}`);
}

function trainerCommand({ trainer, weightsDir }: AgentEnv, dir: AttemptDir, slot: Slot): TrainerCommand {
  const env: Record<string, string | undefined> = {
    ...process.env,
    MEALTABLE_THREADS: String(slot.threads),
    // Images are decoded on libuv's threads, which are 4 whatever the machine has.
    UV_THREADPOOL_SIZE: String(Math.max(4, slot.threads)),
    TF_CPP_MIN_LOG_LEVEL: '3',
    // What the agent may do at the hub is not for code that reads images.
    MEALTABLE_TOKEN: undefined,
  };
  if (weightsDir !== null) env.MEALTABLE_WEIGHTS_DIR = weightsDir;
  if (slot.device !== null) Object.assign(env, { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: slot.device });
  return { program: process.execPath, args: [...process.execArgv, trainer, dir.path], env };
}

function explain(error: unknown): number {
  if (error instanceof AgentExit) {
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  const { code, message, stack } = error as NodeJS.ErrnoException;
  const isFileError = ['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'EIO'].includes(code ?? '');
  process.stderr.write(isFileError ? `The state folder cannot be used: ${message}\n` : `${stack}\n`);
  return isFileError ? AGENT_EXIT.stateFolder : AGENT_EXIT.bug;
}

process.exit(await main().catch(explain));
