'use client';
import {
  type BestCheckpointView,
  EXPORT_FORMATS,
  type ExportFormat,
  explainNoExport,
  FORMAT_WORDS,
  type SeedChoice,
} from '@mealtable/protocol/exports';
import { FolderArchive } from 'lucide-react';
import { useRef, useState } from 'react';
import { formatBytes, plural } from '../format';
import { prepareExport, startDownload } from '../run/prepare-export';
import { Button } from '../ui/button';
import { LabelledCheckbox } from '../ui/checkbox';
import { Notice } from '../ui/notice';
import { Popover } from '../ui/popover';
import { Progress } from '../ui/progress';

interface Making {
  done: number;
  total: number;
  what: string;
  failures: string[];
  isOver: boolean;
}

/** One zip of all models that are shown. Formats that are not there yet are made first, in sight. */
export function DownloadAll(props: { studyId: string; seeds: SeedChoice; models: readonly BestCheckpointView[] }) {
  const { studyId, seeds, models } = props;
  const [formats, setFormats] = useState<readonly ExportFormat[]>([]);
  const [making, setMaking] = useState<Making | null>(null);
  const isStopped = useRef(false);
  const isBusy = making !== null && !making.isOver;
  const weightBytes = models.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

  const download = async () => {
    const jobs = jobsOf(models, formats);
    const failures: string[] = [];
    isStopped.current = false;
    for (const [done, { what, url }] of jobs.entries()) {
      if (isStopped.current) return setMaking(null);
      setMaking({ done, total: jobs.length, what, failures, isOver: false });
      // A format that cannot be had is left out of the zip, whose manifest says why.
      await prepareExport(url).catch((error: unknown) => failures.push(`${what}: ${(error as Error).message}`));
    }
    setMaking(failures.length === 0 ? null : { done: 0, total: 0, what: '', failures, isOver: true });
    const query = new URLSearchParams({ seeds, ...(formats.length > 0 && { formats: formats.join(',') }) });
    startDownload(`/api/studies/${studyId}/models.zip?${query}`);
  };

  return (
    <Popover
      label="Download all models"
      trigger={
        <Button>
          <FolderArchive aria-hidden /> Download all (zip)
        </Button>
      }
    >
      <p className="text-sm">
        {plural(models.length, 'model')} as safetensors, {formatBytes(weightBytes)}, with a manifest and a model card
        each.
      </p>
      <fieldset disabled={isBusy} className="mt-2">
        <legend className="text-ink-3 text-xs">Also as</legend>
        {EXPORT_FORMATS.map((format) => (
          <LabelledCheckbox
            key={format}
            label={FORMAT_WORDS[format].name}
            checked={formats.includes(format)}
            disabled={isBusy}
            onChange={(isOn) => setFormats(isOn ? [...formats, format] : formats.filter((other) => other !== format))}
          />
        ))}
      </fieldset>
      {isBusy && (
        <div className="mt-3 space-y-1" aria-live="polite">
          <Progress value={making.done / making.total} label="Making formats" />
          <p className="break-words text-ink-2 text-xs">
            Making {making.done + 1} of {making.total}: {making.what}
          </p>
        </div>
      )}
      {making?.isOver && (
        <Notice tone="warn" title="Not in the zip" className="mt-3">
          <ul className="max-h-40 overflow-y-auto text-xs">
            {making.failures.map((failure) => (
              <li key={failure} className="break-words">
                {failure}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      <div className="mt-3 flex gap-2">
        <Button variant="primary" busy={isBusy} onClick={() => void download()}>
          Download
        </Button>
        {isBusy && (
          <Button
            variant="ghost"
            onClick={() => {
              isStopped.current = true;
            }}
          >
            Stop
          </Button>
        )}
      </div>
    </Popover>
  );
}

function jobsOf(models: readonly BestCheckpointView[], formats: readonly ExportFormat[]) {
  return models.flatMap(({ checkpointId, network, variantLabel, seed }) =>
    formats
      .filter((format) => explainNoExport(network, format) === null)
      .map((format) => ({
        what: `${FORMAT_WORDS[format].name} of ${variantLabel}, seed ${seed}`,
        url: `/api/checkpoints/${checkpointId}/exports/${format}`,
      })),
  );
}
