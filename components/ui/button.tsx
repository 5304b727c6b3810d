import { LoaderCircle } from 'lucide-react';
import Link from 'next/link';
import type { ComponentProps, ReactNode } from 'react';
import { cn } from './cn';
import { Tip } from './tooltip';

export type ButtonVariant = 'primary' | 'secondary' | 'ghost' | 'danger';
export type ButtonSize = 'sm' | 'md' | 'lg';

const VARIANTS: Record<ButtonVariant, string> = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong border-transparent',
  secondary: 'bg-surface text-ink border-line-strong hover:bg-hover',
  ghost: 'bg-transparent text-ink-2 border-transparent hover:bg-hover hover:text-ink',
  danger: 'bg-surface text-bad border-bad-line hover:bg-bad-soft',
};
const SIZES: Record<ButtonSize, string> = {
  sm: 'h-7 px-2 text-xs gap-1.5 [&_svg]:size-3.5 pointer-coarse:h-9',
  md: 'h-8 px-3 text-sm gap-1.5 [&_svg]:size-4 pointer-coarse:h-10',
  lg: 'h-10 px-4 text-base gap-2 [&_svg]:size-4.5',
};

function buttonClass(variant: ButtonVariant, size: ButtonSize, className?: string) {
  return cn(
    'inline-flex shrink-0 select-none items-center justify-center whitespace-nowrap rounded-control border font-medium transition-colors',
    'disabled:pointer-events-none disabled:opacity-50 aria-disabled:opacity-50 [&_svg]:shrink-0',
    VARIANTS[variant],
    SIZES[size],
    className,
  );
}

interface Looks {
  variant?: ButtonVariant;
  size?: ButtonSize;
}
export interface ButtonProps extends ComponentProps<'button'>, Looks {
  /** Shows a spinner and takes no clicks, at an unchanged width. */
  busy?: boolean;
}

export function Button({
  variant = 'secondary',
  size = 'md',
  busy = false,
  className,
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled || busy}
      aria-busy={busy || undefined}
      className={buttonClass(variant, size, cn('relative', className))}
    >
      {busy && <LoaderCircle aria-hidden className="absolute animate-spin" />}
      {/* Transparent rather than hidden, so that the button keeps its name. */}
      <span className={cn('inline-flex items-center gap-[inherit]', busy && 'opacity-0')}>{children}</span>
    </button>
  );
}

export function ButtonLink({
  variant = 'secondary',
  size = 'md',
  className,
  ...rest
}: ComponentProps<typeof Link> & Looks) {
  return <Link {...rest} className={buttonClass(variant, size, className)} />;
}

/** A plain link in a button's dress: for downloads, which are no navigation inside the app. */
export function DownloadButton({
  variant = 'secondary',
  size = 'md',
  className,
  ...rest
}: ComponentProps<'a'> & Looks) {
  return <a download {...rest} className={buttonClass(variant, size, className)} />;
}

export interface IconButtonProps extends Omit<ButtonProps, 'children' | 'aria-label'> {
  /** Said by screen readers and shown as a tooltip. */
  label: string;
  children: ReactNode;
}

export function IconButton({ label, size = 'md', variant = 'ghost', className, children, ...rest }: IconButtonProps) {
  const square = size === 'sm' ? 'w-7 px-0 pointer-coarse:w-9' : 'w-8 px-0 pointer-coarse:w-10';
  return (
    <Tip text={label}>
      <Button {...rest} aria-label={label} variant={variant} size={size} className={cn(square, className)}>
        {children}
      </Button>
    </Tip>
  );
}
