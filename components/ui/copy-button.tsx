'use client';
import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button, IconButton } from './button';
import { toastError } from './toast';

/** Copies and says so for a moment. */
export function useCopy(): [copied: boolean, copy: (text: string) => Promise<void>] {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1600);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (text: string) => {
    try {
      await writeClipboard(text);
      setCopied(true);
    } catch (error) {
      toastError('Could not copy', error);
    }
  };
  return [copied, copy];
}

/** The clipboard interface exists only on https and localhost; a hub on a plain address needs the old way. */
async function writeClipboard(text: string) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  area.style.position = 'fixed';
  area.style.opacity = '0';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (!done) throw new Error('The browser did not allow it. Select the text and copy it by hand.');
}

export function CopyButton({ text, label, className }: { text: string; label: string; className?: string }) {
  const [copied, copy] = useCopy();
  return (
    <IconButton label={copied ? 'Copied' : label} size="sm" className={className} onClick={() => void copy(text)}>
      {copied ? <Check aria-hidden className="text-good" /> : <Copy aria-hidden />}
    </IconButton>
  );
}

/** A command or secret to take away, whole lines kept. */
export function CopyBlock({ text, label }: { text: string; label: string }) {
  const [copied, copy] = useCopy();
  return (
    <div className="flex items-start gap-2 rounded-lg border bg-sunken p-2 pl-3">
      <pre className="min-w-0 grow self-center whitespace-pre-wrap break-all text-xs leading-5">{text}</pre>
      <Button size="sm" onClick={() => void copy(text)} aria-label={label}>
        {copied ? <Check aria-hidden className="text-good" /> : <Copy aria-hidden />}
        {copied ? 'Copied' : 'Copy'}
      </Button>
    </div>
  );
}
