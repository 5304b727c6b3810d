'use client';
/** Shown when even the root layout failed, so it brings its own document and styles. */
export default function GlobalError({ reset }: { error: Error; reset: () => void }) {
  return (
    <html lang="en">
      <body
        style={{
          fontFamily: 'system-ui, sans-serif',
          padding: '15vh 24px',
          textAlign: 'center',
          colorScheme: 'light dark',
        }}
      >
        <h1 style={{ fontSize: 20 }}>Mealtable ran into a fault</h1>
        <p>Your runs are not affected. Reload the page; if it happens again, look at the hub’s log.</p>
        <button type="button" onClick={reset} style={{ padding: '8px 16px', font: 'inherit' }}>
          Try again
        </button>
      </body>
    </html>
  );
}
