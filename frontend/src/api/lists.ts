import { useInfiniteQuery } from '@tanstack/react-query';
import { page } from './client';
import type { Page, Query } from './client';

/** A cursor-paged list, flattened. `key` begins with the resource, which is what goes stale together. */
export function usePaged<T>(key: readonly unknown[], path: string, query: Query = {}, enabled = true) {
  const result = useInfiniteQuery({
    queryKey: [...key, 'paged', query],
    queryFn: ({ pageParam, signal }) => page<T>(path, query, pageParam, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last: Page<T>) => last.next,
    enabled,
  });
  return { ...result, items: result.data?.pages.flatMap((one) => one.results) };
}
