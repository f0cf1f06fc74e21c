import { beforeEach, describe, expect, it } from 'vitest';
import { useTour } from './store';

const tour = () => useTour.getState();
const meet = (person: string) => {
  useTour.setState({ person: '' });
  tour().meet(person);
};

describe('the tour', () => {
  beforeEach(() => {
    localStorage.clear();
    meet('ada');
  });

  it('is new to whoever has not answered yet', () => expect(tour().stage).toBe('new'));

  it('goes on where it was when the page is opened again', () => {
    tour().start();
    tour().began({ id: 'f1', updated_at: '2026-11-20T10:00:00Z' });
    meet('ada');
    expect([tour().stage, tour().flow]).toEqual(['on', { id: 'f1', since: '2026-11-20T10:00:00Z' }]);
  });

  it('is each person’s own on a machine that several use', () => {
    tour().start();
    meet('grace');
    expect(tour().stage).toBe('new');
    meet('ada');
    expect(tour().stage).toBe('on');
  });

  it('stays with the flow it began with, whatever else is made meanwhile', () => {
    tour().start();
    tour().began({ id: 'f1', updated_at: 'a' });
    tour().began({ id: 'f2', updated_at: 'b' });
    expect(tour().flow?.id).toBe('f1');
  });

  it('takes no flow of somebody who is not on it', () => {
    tour().began({ id: 'f1', updated_at: 'a' });
    expect(tour().flow).toBeUndefined();
  });

  it('is not offered again once it was ended, and begins anew where it is asked for', () => {
    tour().start();
    tour().began({ id: 'f1', updated_at: 'a' });
    tour().end();
    meet('ada');
    expect([tour().stage, tour().flow]).toEqual(['off', undefined]);
    tour().start();
    expect([tour().stage, tour().flow]).toEqual(['on', undefined]);
  });

  it.each(['', 'null', '[]', '7', '{"stage": "on", "flow": 3}', '{"stage": {}}', '{'])('is not upset by what a browser kept wrongly: %s', (kept) => {
    localStorage.setItem('signalbox.tour.ada', kept);
    meet('ada');
    expect(['new', 'on']).toContain(tour().stage);
    expect(tour().flow).toBeUndefined();
  });
});
