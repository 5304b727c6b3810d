'use client';
import { CHECKPOINT_FILES } from '@mealtable/protocol/records';
import type { CheckpointView, RunDetailView } from '@mealtable/protocol/views';
import Link from 'next/link';
import { useState } from 'react';
import { formatPercent } from '../format';
import { CopyBlock } from '../ui/copy-button';
import { Panel } from '../ui/panel';
import { Segmented } from '../ui/segmented';
import { Select } from '../ui/select';

const TOOLS = ['curl', 'wget'] as const;
type Tool = (typeof TOOLS)[number];
const AUTH = '--header "Authorization: Bearer $MEALTABLE_TOKEN"';

/** By an address that says which one: whatever is the best or the latest at that moment. */
const byName: Record<Tool, (url: string) => string> = {
  curl: (url) => `curl --fail --remote-header-name --remote-name ${AUTH} ${url}`,
  wget: (url) => `wget --content-disposition ${AUTH} ${url}`,
};
/** By an address whose content never changes: only that can be taken up again without mixing two files. */
const byId: Record<Tool, (url: string, name: string) => string> = {
  curl: (url, name) => `curl --fail --continue-at - --output ${name} ${AUTH} ${url}`,
  wget: (url, name) => `wget --continue --output-document=${name} ${AUTH} ${url}`,
};

const modelOf = (checkpoint: CheckpointView) => checkpoint.files.find(({ name }) => name === CHECKPOINT_FILES.model);

/** Commands that download a run's models, for scripts and for links that break. */
export function DownloadCommands({ run }: { run: RunDetailView }) {
  const [tool, setTool] = useState<Tool>('curl');
  const [which, setWhich] = useState('best');
  const models = run.checkpoints.filter((checkpoint) => checkpoint.complete && modelOf(checkpoint));
  if (models.length === 0) return null;
  const chosen = models.find(({ id }) => id === which);
  const file = chosen && modelOf(chosen);
  const { origin } = window.location;
  const text =
    chosen && file
      ? `${byId[tool](origin + file.url, fileName(run, chosen))} \\\n  && echo "${file.sha256}  ${fileName(run, chosen)}" | sha256sum --check`
      : byName[tool](`${origin}/api/runs/${run.id}/${which}/${CHECKPOINT_FILES.model}`);
  return (
    <Panel
      title="From a terminal"
      hint={
        chosen
          ? 'Run it again after a break: it goes on where it was, and checks the file at the end.'
          : `The ${which} checkpoint, whichever it is at that moment.`
      }
      actions={
        <span className="flex flex-wrap items-center gap-2">
          <Select
            aria-label="Checkpoint to download"
            className="w-44"
            value={which}
            onChange={setWhich}
            options={[
              { value: 'best', label: 'Best' },
              { value: 'latest', label: 'Latest' },
              ...models
                .toSorted((a, b) => b.stepsCompleted - a.stepsCompleted)
                .map(({ id, epoch, top1 }) => ({
                  value: id,
                  label: `Epoch ${epoch}`,
                  detail: top1 === null ? undefined : `${formatPercent(top1)} %`,
                })),
            ]}
          />
          <Segmented
            label="Program"
            value={tool}
            onChange={setTool}
            options={TOOLS.map((value) => ({ value, label: value }))}
          />
        </span>
      }
    >
      <CopyBlock label="Copy the command" text={text} />
      <p className="mt-2 text-ink-2 text-sm">
        The token is a program token from{' '}
        <Link href="/settings?tab=tokens" className="text-accent hover:underline">
          Settings, Tokens
        </Link>
        . The weights have timm’s key names: <code className="text-xs">safetensors.torch.load_file</code> reads them.
      </p>
    </Panel>
  );
}

/** Safe in any shell. */
const fileName = (run: RunDetailView, { epoch }: CheckpointView) => `${run.id}-epoch${epoch}.safetensors`;
