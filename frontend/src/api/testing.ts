import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, newKey } from './client';
import { flowKeys, useVersion } from './flows';
import type { FlowDocument, Run, RunItem } from './types';

export type SampleSource = 'heard' | 'kept' | 'pasted' | 'run';

/** What a flow may be tried with; the id of one that is read from a run is that run's. */
export interface SampleItem {
  id: string;
  source: SampleSource;
  type: string;
  name: string;
  run: string | null;
  made_by: string;
  at: string;
  size: number;
}

export interface SampleList {
  results: SampleItem[];
  /** Whether their values are for the person. */
  may_see: boolean;
}

export interface SampleWhole extends SampleItem {
  trigger: unknown;
  steps: Record<string, { output?: unknown; error?: unknown } | undefined>;
  may_see: boolean;
}

export interface Listener {
  url: string;
  curl: string;
  until: string;
  heard: number;
  refused: number;
  /** Why the last call that was refused was refused. */
  said: string;
}

export type TestKind = 'dry' | 'to' | 'only';

export interface TestAsked {
  kind: TestKind;
  step: string;
  sample: string | null;
  answers: Record<string, { port?: string; output?: unknown }>;
  /** Steps that really send what they would send. */
  live: string[];
}

export interface StepTold {
  id: string;
  title: string;
  type: string;
  times: number;
  does: 'runs' | 'sends' | 'answered' | 'asked' | 'waits';
  outward: boolean;
  ports: string[];
  port: string | null;
  given: unknown[];
  output: unknown;
}

export interface Leaving {
  type: string;
  sent: boolean;
  count: number;
}

interface Told {
  kind: TestKind;
  step: string;
  hash: string;
  revision: number;
  steps: StepTold[];
  leaves: Leaving[];
  stand_ins: { id: string; title: string }[];
  /** Whether it comes to the step that is meant. */
  reaches: boolean;
  error: { step?: string; message: string } | null;
  skipped_to: string | null;
}

/** What a test will do. */
export interface TestPlan extends Told {
  missing: { id: string; title: string }[];
  ends: string;
}

/** What a test did. */
export interface TestReport extends Told {
  run: string;
  status: Run['status'];
  document: FlowDocument;
  announced: string[];
}

export const sampleKeys = {
  list: (flow: string) => [...flowKeys.one(flow), 'samples'] as const,
  one: (flow: string, id: string | null) => [...flowKeys.one(flow), 'samples', id] as const,
  listener: (flow: string) => [...flowKeys.one(flow), 'listener'] as const,
};

export const useSamples = (flow: string) =>
  useQuery({
    queryKey: sampleKeys.list(flow),
    queryFn: ({ signal }) => api.get<SampleList>(`flows/${flow}/samples/`, { signal }),
    retry: false,
    staleTime: 15_000,
  });

/** One sample with its values; a run's numbers stand as they were written. */
export const useSampleValues = (flow: string, id: string | null) =>
  useQuery({
    queryKey: sampleKeys.one(flow, id),
    queryFn: ({ signal }) => api.get<SampleWhole>(`flows/${flow}/samples/${id}/`, { signal, exact: 'written' }),
    enabled: id !== null,
    retry: false,
    staleTime: 15_000,
  });

export function useKeepSample(flow: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, ...what }: { text?: string; run?: string; name?: string; key: string }) =>
      api.post<SampleItem>(`flows/${flow}/samples/`, what, { idempotencyKey: key }),
    onSuccess: () => client.invalidateQueries({ queryKey: sampleKeys.list(flow) }),
  });
}

export function useForgetSample(flow: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete(`flows/${flow}/samples/${id}/`),
    onSuccess: () => client.invalidateQueries({ queryKey: sampleKeys.list(flow) }),
  });
}

/** The draft's own address, while it has one. */
export const useListener = (flow: string, enabled: boolean) =>
  useQuery({
    queryKey: sampleKeys.listener(flow),
    queryFn: ({ signal }) => api.get<{ listener: Listener | null }>(`flows/${flow}/listen/`, { signal }),
    enabled,
    retry: false,
    refetchInterval: ({ state }) => (state.data?.listener ? 5_000 : false),
  });

export function useListen(flow: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (on: boolean) =>
      on ? api.post(`flows/${flow}/listen/`, {}, { idempotencyKey: newKey() }) : api.delete(`flows/${flow}/listen/`),
    onSettled: () => client.invalidateQueries({ queryKey: sampleKeys.listener(flow) }),
  });
}

export interface SentTest {
  status: number;
  answer: unknown;
  run: string | null;
  sample: string | null;
}

export function useSendTest(flow: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ sample, to, key }: { sample: string; to: 'flow' | 'draft'; key: string }) =>
      api.post<SentTest>(`flows/${flow}/send-test/`, { sample, to }, { idempotencyKey: key }),
    onSuccess: () => Promise.all([
      client.invalidateQueries({ queryKey: sampleKeys.list(flow) }),
      client.invalidateQueries({ queryKey: ['runs'] }),
    ]),
  });
}

export const fetchPlan = (flow: string, asked: TestAsked, signal?: AbortSignal) =>
  api.post<TestPlan>(`flows/${flow}/test-plan/`, asked, { signal, exact: 'written' });

export function useStartTest(flow: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ asked, announced, key }: { asked: TestAsked; announced: string[]; key: string }) =>
      api.post<{ id: string }>(`flows/${flow}/test-runs/`, { ...asked, announced }, { idempotencyKey: key }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['runs'] }),
  });
}

/** What a test did, as far as it is by now. */
export const useTestReport = (run: string | null) =>
  useQuery({
    queryKey: ['runs', 'one', run, 'test'],
    queryFn: ({ signal }) => api.get<TestReport>(`runs/${run}/test/`, { signal, exact: 'written' }),
    enabled: run !== null,
    refetchInterval: ({ state }) => (state.data && !['completed', 'failed', 'cancelled'].includes(state.data.status) ? 1_000 : false),
  });

/** What a run runs: its version, or, where it tries a draft out, the draft as it was then. */
export function useRunDocument(run: RunItem): { data: FlowDocument | undefined; error: Error | null; retry: () => void } {
  const isTest = run.version === null;
  const version = useVersion(run.flow.id, run.version ?? undefined);
  const report = useTestReport(isTest ? run.id : null);
  const found = isTest ? report : version;
  return { data: isTest ? report.data?.document : version.data?.document, error: found.error, retry: () => void found.refetch() };
}
