import { MAX_PREVIEW_CHECKPOINTS, type RetentionPreview } from '@mealtable/protocol/retention';
import { formatBytes, formatPercent, plural } from '../format';
import { cn } from '../ui/cn';
import { Notice } from '../ui/notice';
import { Table, Td, Th, Tr } from '../ui/table';

/** What would go, and what becomes free by it. */
export function RetentionPreviewPanel({ preview, isStale }: { preview: RetentionPreview; isStale: boolean }) {
  const { gone, goneCount, goneFiles, freedBytes, sharedBytes, keptCount } = preview;
  return (
    <div className={cn('space-y-3 transition-opacity', isStale && 'opacity-50')} aria-busy={isStale}>
      {goneCount === 0 ? (
        <Notice title="Nothing would go">{plural(keptCount, 'checkpoint')} of this study would stay.</Notice>
      ) : (
        <Notice tone="warn" title={`${plural(goneCount, 'checkpoint')} would go for good`}>
          {plural(goneFiles, 'file')}; {formatBytes(freedBytes)} become free within the hour.
          {sharedBytes > 0 &&
            ` Another ${formatBytes(sharedBytes)} stay, because other checkpoints have the same content.`}{' '}
          {plural(keptCount, 'checkpoint')} would stay.
        </Notice>
      )}
      {goneCount > 0 && (
        <Table label="Checkpoints that would go">
          <thead>
            <tr>
              <Th>Run</Th>
              <Th align="right">Seed</Th>
              <Th align="right">Epoch</Th>
              <Th align="right">Top-1</Th>
              <Th align="right">Size</Th>
            </tr>
          </thead>
          <tbody>
            {gone.map((checkpoint) => (
              <Tr key={checkpoint.checkpointId}>
                <Td className="max-w-64 truncate" title={checkpoint.variantLabel}>
                  {checkpoint.variantLabel}
                </Td>
                <Td align="right" className="num">
                  {checkpoint.seed}
                </Td>
                <Td align="right" className="num">
                  {checkpoint.epoch}
                </Td>
                <Td align="right" className="num">
                  {formatPercent(checkpoint.top1)}
                </Td>
                <Td align="right" className="num whitespace-nowrap">
                  {formatBytes(checkpoint.sizeBytes)}
                </Td>
              </Tr>
            ))}
          </tbody>
        </Table>
      )}
      {goneCount > MAX_PREVIEW_CHECKPOINTS && (
        <p className="text-ink-3 text-xs">… and {plural(goneCount - MAX_PREVIEW_CHECKPOINTS, 'more checkpoint')}.</p>
      )}
    </div>
  );
}
