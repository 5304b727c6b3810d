/** Work order of a trainer, and the files it names. */
import { join } from 'node:path';
import type { Grant, GrantInput } from '@mealtable/protocol/agent-messages';
import { type CheckpointFile, LABEL_SET_FILE } from '@mealtable/protocol/records';
import { labelsFolder } from '../labels/folder.ts';
import { TrainerJob } from '../train/job.ts';
import type { AttemptDir } from './attempt-dir.ts';
import type { BlobClient, FetchResult } from './blob-client.ts';
import { fetchLabels } from './fetch-labels.ts';

/**
 * The job for a grant, with the paths that `fetchInputs` fills.
 * @returns a sentence instead when the grant cannot be carried out, for example a network that this version does not know
 */
export function makeJob(grant: Grant, dir: AttemptDir, datasetPath: string, threads: number): TrainerJob | string {
  const parsed = TrainerJob.safeParse({
    grant,
    datasetPath,
    teacherPaths: grant.teachers.map(({ runId, network, classCount, file }) => ({
      runId,
      network,
      classCount,
      path: dir.input(file.sha256),
    })),
    initialisationPath: grant.initialisation && dir.input(grant.initialisation.file.sha256),
    labelSets: (grant.labels ?? []).flatMap(({ runId, files }) =>
      files.flatMap(({ name, sha256 }) => (name === LABEL_SET_FILE ? [{ runId, path: dir.labelSet(sha256) }] : [])),
    ),
    resumeDir: grant.resume && dir.resume,
    bestPath: grant.best && dir.input(grant.best.file.sha256),
    threads,
  });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  return `The hub's work order cannot be carried out (${issue.path.join('.')}: ${issue.message}).`;
}

/**
 * Brings every file of the grant into the attempt's folder, and labels into this host's cache; the first that cannot be had ends it.
 * @param folder of the labels of all keys
 */
export async function fetchInputs(
  grant: Grant,
  dir: AttemptDir,
  blobs: BlobClient,
  signal: AbortSignal,
  folder: string = labelsFolder(process.env),
): Promise<FetchResult> {
  for (const { what, file, path } of inputsOf(grant, dir)) {
    const result = await blobs.fetchTo(file, path, signal);
    if (!result.ok) return { ...result, message: `${what}: ${result.message}` };
  }
  for (const { what, files } of labelsOf(grant)) {
    const result = await fetchLabels(files, { dir, blobs, folder, signal });
    if (!result.ok) return { ...result, message: `${what}: ${result.message}` };
  }
  return { ok: true };
}

/** Those that the run learns from, or those that it has computed itself, on this host or another. */
function labelsOf({ labels = [], config, resume }: Grant): { what: string; files: CheckpointFile[] }[] {
  const others = labels.map(({ runId, files }) => ({ what: `Labels of ${runId}`, files }));
  if (config.task !== 'labelling' || resume === null) return others;
  return [...others, { what: `Labels up to step ${resume.stepsCompleted}`, files: resume.files }];
}

function inputsOf(grant: Grant, dir: AttemptDir): { what: string; file: CheckpointFile; path: string }[] {
  const weights = (what: string, { runId, file }: GrantInput) => ({
    what: `${what} ${runId}`,
    file,
    path: dir.input(file.sha256),
  });
  return [
    ...grant.teachers.map((teacher) => weights('Teacher', teacher)),
    ...(grant.initialisation ? [weights('Initialisation', grant.initialisation)] : []),
    ...(grant.best
      ? [{ what: 'The best checkpoint', file: grant.best.file, path: dir.input(grant.best.file.sha256) }]
      : []),
    ...(grant.config.task === 'labelling' ? [] : (grant.resume?.files ?? [])).map((file) => ({
      what: `Checkpoint at step ${grant.resume?.stepsCompleted}`,
      file,
      path: join(dir.resume, file.name),
    })),
  ];
}
