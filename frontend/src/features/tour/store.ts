import { create } from 'zustand';

/** Where a person is in the tour. What they have done is read from the flow itself, never from here. */
export interface Tour {
  /** `new`: never offered an answer; `off`: they want none, or are through. */
  stage: 'new' | 'on' | 'off';
  /** The flow they began, and when it was last changed by then. */
  flow?: { id: string; since: string };
}

interface TourStore extends Tour {
  person: string;
  meet: (person: string) => void;
  start: () => void;
  began: (flow: { id: string; updated_at: string }) => void;
  end: () => void;
}

const keyOf = (person: string) => `signalbox.tour.${person}`;

function remembered(person: string): Tour {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(keyOf(person)) ?? '{}');
    const tour = (typeof kept === 'object' && kept !== null ? kept : {}) as Partial<Tour>;
    const flow = typeof tour.flow?.id === 'string' && typeof tour.flow.since === 'string' ? tour.flow : undefined;
    return { stage: tour.stage === 'on' || tour.stage === 'off' ? tour.stage : 'new', flow };
  } catch {
    return { stage: 'new' };
  }
}

export const useTour = create<TourStore>((set, get) => {
  const keep = (tour: Tour) => {
    set({ ...tour, flow: tour.flow });
    try {
      localStorage.setItem(keyOf(get().person), JSON.stringify(tour));
    } catch {
      // A browser that keeps nothing forgets the tour with the page.
    }
  };
  return {
    stage: 'off',
    person: '',
    meet: (person) => {
      if (person !== get().person) set({ person, flow: undefined, ...remembered(person) });
    },
    start: () => keep({ stage: 'on' }),
    began: (flow) => {
      if (get().stage === 'on' && !get().flow) keep({ stage: 'on', flow: { id: flow.id, since: flow.updated_at } });
    },
    end: () => keep({ stage: 'off' }),
  };
});

/** The road that is begun by hand, so that its form shows what a run needs. */
export const TOUR_EXAMPLE = 'access-request';
