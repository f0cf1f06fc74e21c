/** An answer `application/problem+json`. `message` is the server's sentence for the person. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly fields: Record<string, unknown>;

  constructor(status: number, body: Record<string, unknown>) {
    const detail = typeof body['detail'] === 'string' ? body['detail'] : '';
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.code = typeof body['code'] === 'string' ? body['code'] : `http_${status}`;
    this.title = typeof body['title'] === 'string' ? body['title'] : '';
    this.fields = body;
  }
}

/** No answer came: the network or the server is away. */
export class Offline extends Error {
  constructor() {
    super('');
    this.name = 'Offline';
  }
}

export const isProblem = (error: unknown, ...codesOrStatuses: (string | number)[]): error is Problem =>
  error instanceof Problem &&
  (codesOrStatuses.length === 0 ||
    codesOrStatuses.includes(error.status) ||
    codesOrStatuses.includes(error.code));
