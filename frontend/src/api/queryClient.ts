import { QueryClient } from '@tanstack/react-query';
import { Problem } from './problem';

/** What the server decided stays decided; only a lost connection is worth another try. */
export const retry = (failures: number, error: Error): boolean =>
  error instanceof Problem ? error.status >= 502 && failures < 2 : failures < 2;

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { retry, staleTime: 5_000, refetchOnWindowFocus: true, networkMode: 'always' },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}
