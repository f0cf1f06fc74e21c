import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';

export interface Stop {
  stopped: boolean;
  by: string | null;
  reason: string | null;
  stopped_at: string | null;
}

/** Whether everything in the workspace is stopped; everybody is told. Under `runs`, so that it is read again when runs change. */
export const useStop = () =>
  useQuery({
    queryKey: ['runs', 'stop'],
    queryFn: ({ signal }) => api.get<Stop>('operations/stop/', { signal }),
    refetchInterval: 60_000,
  });

export function useStopEverything() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) => api.post<Stop>('operations/stop/', { reason }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['runs'] }),
  });
}

export function useLiftStop() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) => api.post<{ released: number }>('operations/resume/', { reason }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['runs'] }),
  });
}
