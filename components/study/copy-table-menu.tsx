'use client';
import { Check, Copy } from 'lucide-react';
import { Button } from '../ui/button';
import { useCopy } from '../ui/copy-button';
import { Menu, MenuItem } from '../ui/menu';

interface CopyTableMenuProps {
  /** Each makes its text when it is chosen. */
  csv: () => string;
  markdown: () => string;
  latex: () => string;
}

export function CopyTableMenu({ csv, markdown, latex }: CopyTableMenuProps) {
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
      <MenuItem onSelect={() => void copy(csv())}>Copy as CSV</MenuItem>
      <MenuItem onSelect={() => void copy(markdown())}>Copy as Markdown</MenuItem>
      <MenuItem onSelect={() => void copy(latex())}>Copy as LaTeX</MenuItem>
    </Menu>
  );
}
