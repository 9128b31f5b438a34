/** A gantry crane that carries one container. */
export function GantryLogo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" fill="#14639d" />
      <path
        d="M6 9.5h20M9 9.5V26M23 9.5V26M9 9.5 13 6h6l4 3.5"
        fill="none"
        stroke="#fff"
        strokeWidth="2.2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <path d="M16 9.5v5" stroke="#fff" strokeWidth="1.8" strokeLinecap="round" />
      <rect x="12.2" y="14.5" width="7.6" height="6.4" rx="1.3" fill="#fbb040" />
    </svg>
  );
}
