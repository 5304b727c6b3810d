'use client';
import type { Top1Row } from '@mealtable/protocol/views';
import { Check, Copy } from 'lucide-react';
import { Button } from '../ui/button';
import { useCopy } from '../ui/copy-button';
import { Menu, MenuItem } from '../ui/menu';
import { toCsv, toLatex, toMarkdown } from './table-export';

export function CopyTableMenu({ rows, bestVariantId }: { rows: readonly Top1Row[]; bestVariantId: string | null }) {
  const [copied, copy] = useCopy();
  return (
    <Menu
      trigger={
        <Button size="sm">
          {copied ? <Check aria-hidden className="text-good" /> : <Copy aria-hidden />}
          {copied ? 'Copied' : 'Copy table'}
        </Button>
      }
    >
      <MenuItem onSelect={() => void copy(toCsv(rows))}>Copy as CSV</MenuItem>
      <MenuItem onSelect={() => void copy(toMarkdown(rows))}>Copy as Markdown</MenuItem>
      <MenuItem onSelect={() => void copy(toLatex(rows, bestVariantId))}>Copy as LaTeX</MenuItem>
    </Menu>
  );
}
