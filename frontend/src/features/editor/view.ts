import { create } from 'zustand';
import type { Point } from '~/features/canvas/graph';
import type { PortRef } from './document/links';

/** What the list that opens beside the canvas is asked for. */
export type Asking =
  /** `term`: what was typed already. */
  | { kind: 'add'; term?: string; after?: PortRef; onLink?: string; place?: Point; into?: string | null; undoes?: string }
  | { kind: 'connect'; way: PortRef }
  | { kind: 'put'; ids: string[] }
  | { kind: 'group'; ids: string[] };

export type Drawer = 'problems' | 'samples' | 'try' | 'versions' | 'explain';

/** A step type on its way from the palette to the canvas, under the pointer. */
export interface Carried {
  kind: string;
  version: number;
  x: number;
  y: number;
}

export interface ViewState {
  /** Selected steps, the trigger among them. */
  selected: string[];
  link: string | null;
  /** Where cards stand while they are dragged; the document learns it when they are let go. */
  dragged: Record<string, Point> | null;
  asking: (Asking & { x: number; y: number }) | null;
  carried: Carried | null;
  /** The link under what is carried. */
  dropLink: string | null;
  /** The frame in which what is carried or dragged would land, where that is not where it stands. */
  dropInto: string | null;
  /** The link under the pointer, whose `+` is shown. */
  hoverLink: string | null;
  connecting: boolean;
  drawer: Drawer | null;
  publishing: boolean;
  help: boolean;
  /** The dialog in which another flow is put in the place of this one. */
  importing: boolean;
  outline: boolean;
  /** The last thing that happened, for a screen reader; `count` makes an equal text be said again. */
  said: { text: string; count: number };
}

const INITIAL: ViewState = {
  selected: [],
  link: null,
  dragged: null,
  asking: null,
  carried: null,
  dropLink: null,
  dropInto: null,
  hoverLink: null,
  connecting: false,
  drawer: null,
  publishing: false,
  help: false,
  importing: false,
  outline: false,
  said: { text: '', count: 0 },
};

/** What is looked at: no part of the document, and nothing that undo takes back. */
export const useView = create<ViewState>()(() => INITIAL);

export const resetView = (): void => useView.setState(INITIAL);

export const select = (ids: string[], link: string | null = null): void => {
  const { selected, link: before } = useView.getState();
  const same = before === link && selected.length === ids.length && selected.every((id, at) => id === ids[at]);
  if (!same) useView.setState({ selected: ids, link });
};

/** The selection, where the step is a part of it; else the step alone. */
export const chosenWith = (id: string): string[] => {
  const { selected } = useView.getState();
  return selected.includes(id) ? selected : [id];
};

export const say = (text: string): void => useView.setState(({ said }) => ({ said: { text, count: said.count + 1 } }));

/** What the canvas can do for others; set while it is shown. The outline sets its own. */
export interface Stage {
  /** Move the focus to a step, a port or a link and bring it into view. */
  focus: (target: FocusTarget) => void;
  /** Bring a step into view without moving the focus. */
  reveal: (id: string) => void;
  /** The place in the flow at the middle of what is seen. */
  middle: () => Point;
  /** Show the whole flow, or these parts of it as large as they fit. Nothing to do for a list. */
  fit?: (ids?: readonly string[]) => void;
  /** Where a step or port is on the screen. */
  screen: (target: FocusTarget) => { x: number; y: number };
}

export type FocusTarget = { step: string } | { step: string; port: string } | { link: string };

let stage: Stage | null = null;
export const setStage = (next: Stage | null): void => {
  stage = next;
};
export const onStage = (): Stage | null => stage;

/** The name by which the element of a target is found. */
export const focusName = (target: FocusTarget): string =>
  'link' in target ? `link:${target.link}` : 'port' in target ? `port:${target.step}:${target.port}` : `step:${target.step}`;
