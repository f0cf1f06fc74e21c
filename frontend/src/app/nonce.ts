/** The nonce of this page's Content-Security-Policy, put there by the server. */
export const styleNonce = (): string =>
  document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
