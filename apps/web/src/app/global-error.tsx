'use client';

/** The last resort: even the root layout failed, so there are no styles and no components. */
export default function GlobalError({ reset }: { reset: () => void }) {
  return (
    <html lang="en">
      <body
        style={{
          fontFamily: 'system-ui, sans-serif',
          display: 'grid',
          placeItems: 'center',
          minHeight: '100vh',
          margin: 0,
        }}
      >
        <main style={{ textAlign: 'center' }}>
          <h1 style={{ fontSize: 20 }}>The dashboard could not start</h1>
          <p>Load the page again. If it stays, look at the dashboard’s own log.</p>
          <button type="button" onClick={reset}>
            Try again
          </button>
        </main>
      </body>
    </html>
  );
}
