/** The mark: a line, a set of points, and the signal that takes one of the ways. */
export function Logo() {
  return (
    <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round">
      <path d="M3 17h5c4 0 4-10 8-10h1" />
      <path d="M12 17h9" opacity="0.45" />
      <circle cx="19.5" cy="7" r="2.5" fill="currentColor" stroke="none" />
    </svg>
  );
}
