import { act, renderHook } from '@testing-library/react';
import { beforeEach, expect, it, vi } from 'vitest';
import { ExactNumber } from '~/api/exact';
import { Problem } from '~/api/problem';
import type { Task } from '~/api/types';
import { useFilled } from './useFilled';

const FORM = {
  type: 'object',
  properties: { price: { type: 'number', maximum: new ExactNumber('9.50') }, why: { type: 'string' } },
  allOf: [{ if: { properties: { price: { type: 'number', minimum: 5 } }, required: ['price'] }, then: { required: ['why'] }, else: { properties: { why: false } } }],
};
const task = { id: 't', form: { form: FORM, form_hash: 'h', needed_for: ['approved'], initial: { price: new ExactNumber('7.10') }, draft: null } } as unknown as Task;

beforeEach(() => vi.stubGlobal('fetch', vi.fn<typeof fetch>().mockResolvedValue(new Response('{}', { headers: { 'Content-Type': 'application/json' } }))));

it('sends what is asked, with the answers that need it alone', () => {
  const { result } = renderHook(() => useFilled(task));
  expect(result.current.value).toEqual({ price: 7.1 });
  act(() => result.current.change({ price: 7, why: 'so' }));
  expect(result.current.withAnswer('approved')).toEqual({ form_hash: 'h', answers: { price: 7, why: 'so' } });
  act(() => result.current.change({ price: 2, why: 'so' }));
  expect(result.current.withAnswer('approved').answers).toEqual({ price: 2 });
  expect(result.current.withAnswer('rejected')).toEqual({});
  act(() => result.current.draft.drop());
});

it('begins with what the person has left, and says what the server refused', () => {
  const left = { ...task, form: { ...task.form, draft: { answers: { price: 3 }, updated_at: '' } } } as Task;
  const { result } = renderHook(() => useFilled(left));
  expect(result.current.value).toEqual({ price: 3 });
  act(() => result.current.refuse(new Problem(422, { code: 'answers_refused', errors: [{ path: 'price', message: 'No.' }] })));
  expect(result.current.faults).toEqual([{ path: 'price', message: 'No.' }]);
});
