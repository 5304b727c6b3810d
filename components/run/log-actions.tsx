'use client';
import { LOG_SOURCES } from '@mealtable/protocol/output';
import type { LogFilter } from '@mealtable/protocol/run-log';
import { Check, Copy, Download } from 'lucide-react';
import { Button, DownloadButton } from '../ui/button';
import { useCopy } from '../ui/copy-button';
import { Select } from '../ui/select';

interface LogActionsProps {
  runId: string;
  filter: LogFilter;
  attempts: number[];
  onJump: (attempt: number) => void;
  /** The loaded lines, without colours. */
  textOf: () => string;
}

export function LogActions({ runId, filter, attempts, onJump, textOf }: LogActionsProps) {
  const [copied, copy] = useCopy();
  const isWhole = filter.sources.length === LOG_SOURCES.length;
  const query = isWhole ? '' : `?sources=${filter.sources.join(',')}`;
  return (
    <div className="ml-auto flex flex-wrap items-center gap-2">
      {attempts.length > 1 && (
        <Select
          aria-label="Jump to an attempt"
          placeholder="Jump to attempt"
          className="w-auto"
          value={undefined}
          onChange={(attempt) => onJump(Number(attempt))}
          options={attempts.map((attempt) => ({ value: String(attempt), label: `Attempt ${attempt}` }))}
        />
      )}
      <Button onClick={() => void copy(textOf())} title="Copy the lines that are loaded">
        {copied ? <Check aria-hidden className="text-good" /> : <Copy aria-hidden />}
        {copied ? 'Copied' : 'Copy'}
      </Button>
      <DownloadButton href={`/api/runs/${runId}/log${query}`} title="All lines as a text file">
        <Download aria-hidden />
        Download
      </DownloadButton>
    </div>
  );
}
