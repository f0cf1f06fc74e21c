import { render, screen } from '@testing-library/react';
import type { ReactElement } from 'react';
import { describe, expect, it } from 'vitest';
import type { Task } from '~/api/types';
import { Foundations } from '~/app/App';
import { Course, Next, Urgent } from './Course';

const renderApp = (shown: ReactElement) => render(<Foundations>{shown}</Foundations>);

const task = {
  status: 'open',
  urgency: 'urgent',
  next: { at: '2026-11-24T10:00:00Z', words: 'It goes to Finance instead' },
  course: [
    { at: '2026-11-23T10:00:00Z', words: 'A reminder was sent', done: true },
    { at: '2026-11-24T10:00:00Z', words: 'It goes to Finance instead', done: false },
  ],
} as unknown as Task;

describe('the time of a task', () => {
  it('says what has happened and what will', () => {
    renderApp(<Course task={task} />);
    expect(screen.getByRole('heading').textContent).toBe('While nobody answers');
    expect(screen.getAllByRole('definition').map((one) => one.textContent)).toEqual(['A reminder was sent', 'It goes to Finance instead']);
  });

  it('is looked back at once the task has ended', () => {
    renderApp(<Course task={{ ...task, status: 'decided' }} />);
    expect(screen.getByRole('heading').textContent).toBe('What happened in the meantime');
  });

  it('is left out where nothing happens', () => {
    renderApp(<Course task={{ ...task, course: [] }} />);
    expect(screen.queryByRole('heading')).toBeNull();
  });

  it('marks what is urgent and says what comes next, while it is open', () => {
    renderApp(<><Urgent task={task} /><Next task={task} /></>);
    expect(screen.getByText('Urgent')).toBeTruthy();
    expect(screen.getByText(/It goes to Finance instead/)).toBeTruthy();
  });

  it('says neither of a task that has ended', () => {
    const ended = { ...task, status: 'decided' as const };
    renderApp(<><Urgent task={ended} /><Next task={ended} /></>);
    expect(screen.queryByText('Urgent')).toBeNull();
    expect(screen.queryByText(/Finance/)).toBeNull();
  });
});
