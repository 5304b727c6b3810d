/** A table with a plate at one place: the one cell that differs. */
export function LogoMark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden className={className}>
      <rect width="32" height="32" rx="8" className="fill-[#274b9f] dark:fill-[#3a63c2]" />
      <g fill="#fff">
        <rect x="6.5" y="6.5" width="8" height="8" rx="2" opacity=".62" />
        <rect x="17.5" y="6.5" width="8" height="8" rx="2" opacity=".62" />
        <rect x="6.5" y="17.5" width="8" height="8" rx="2" opacity=".62" />
        <path
          fillRule="evenodd"
          d="M21.5 16.25a5.25 5.25 0 1 1 0 10.5 5.25 5.25 0 0 1 0-10.5Zm0 2.6a2.65 2.65 0 1 0 0 5.3 2.65 2.65 0 0 0 0-5.3Z"
        />
      </g>
    </svg>
  );
}

export function Logo({ withName = true }: { withName?: boolean }) {
  return (
    <span className="inline-flex items-center gap-2.5">
      <LogoMark className="size-6 shrink-0" />
      {withName && <span className="font-semibold text-[0.9375rem] tracking-tight">Mealtable</span>}
    </span>
  );
}
