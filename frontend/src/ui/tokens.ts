/**
 * The one file with colours, sizes and times. `tokensCss.ts` makes CSS variables of it, `theme.ts`
 * the Mantine theme; nothing else names a colour. `tokens.test.ts` holds the contrast.
 */
export type Scheme = 'light' | 'dark';

export interface Palette {
  page: string;
  surface: string;
  /** Behind rows under the pointer, inside code blocks. */
  sunken: string;
  text: string;
  muted: string;
  line: string;
  /** Borders of controls, links and ports: 3:1 against page and surface. */
  control: string;
  accent: string;
  accentHover: string;
  onAccent: string;
  /** Behind what is selected. */
  accentSoft: string;
  /** Dots of the canvas grid. */
  grid: string;
  scrim: string;
  shadow: string;
}

export interface Pair {
  text: string;
  fill: string;
}

export const palettes: Record<Scheme, Palette> = {
  light: {
    page: '#F6F7F9',
    surface: '#FFFFFF',
    sunken: '#F0F2F5',
    text: '#14181F',
    muted: '#586170',
    line: '#E3E6EB',
    control: '#7A8494',
    accent: '#2F5BEA',
    accentHover: '#2249C9',
    onAccent: '#FFFFFF',
    accentSoft: '#EAF0FE',
    grid: '#CDD3DB',
    scrim: 'rgb(20 24 31 / 0.4)',
    shadow: '0 8px 24px rgb(20 24 31 / 0.14)',
  },
  dark: {
    page: '#0F1216',
    surface: '#171B21',
    sunken: '#1E232B',
    text: '#E8EBF0',
    muted: '#9BA5B4',
    line: '#2A313B',
    control: '#7A8494',
    accent: '#8AA6FF',
    accentHover: '#A6BBFF',
    onAccent: '#0F1216',
    accentSoft: '#1D2740',
    grid: '#2F3742',
    scrim: 'rgb(0 0 0 / 0.6)',
    shadow: '0 8px 24px rgb(0 0 0 / 0.5)',
  },
};

export type Status = 'running' | 'waiting' | 'done' | 'failed' | 'cancelled';

export const statuses: Record<Scheme, Record<Status, Pair>> = {
  light: {
    running: { text: '#1B62C4', fill: '#E6F0FE' },
    waiting: { text: '#805400', fill: '#FFF3D1' },
    done: { text: '#176B3E', fill: '#E2F5E9' },
    failed: { text: '#B42A25', fill: '#FDE9E8' },
    cancelled: { text: '#4F5866', fill: '#ECEEF2' },
  },
  dark: {
    running: { text: '#7DB4FF', fill: '#152640' },
    waiting: { text: '#F2C45A', fill: '#33280F' },
    done: { text: '#6FD397', fill: '#12301F' },
    failed: { text: '#FF9A93', fill: '#3A1716' },
    cancelled: { text: '#B8C0CC', fill: '#262C35' },
  },
};

/** Tints of a step's icon tile. A category that is not listed is drawn as `other`. */
export type Category = 'signal' | 'logic' | 'data' | 'people' | 'outside' | 'time' | 'end' | 'other';

export const categories: Record<Scheme, Record<Category, Pair>> = {
  light: {
    signal: { text: '#0B666E', fill: '#DBF2F3' },
    logic: { text: '#6338B0', fill: '#EFE8FB' },
    data: { text: '#2456B8', fill: '#E4EDFD' },
    people: { text: '#8A4508', fill: '#FDEADA' },
    outside: { text: '#9C2763', fill: '#FBE5F0' },
    time: { text: '#5B5A12', fill: '#F2F1D3' },
    end: { text: '#3C4657', fill: '#E6E9EF' },
    other: { text: '#4F5866', fill: '#ECEEF2' },
  },
  dark: {
    signal: { text: '#6CCFD6', fill: '#12302F' },
    logic: { text: '#C2A8FF', fill: '#2A2142' },
    data: { text: '#86B2FF', fill: '#16263F' },
    people: { text: '#F5B479', fill: '#3A2512' },
    outside: { text: '#F59CC8', fill: '#3A182B' },
    time: { text: '#D9D77A', fill: '#2D2C12' },
    end: { text: '#C3CBD8', fill: '#2A313B' },
    other: { text: '#B8C0CC', fill: '#262C35' },
  },
};

/** Pixels. */
export const sizes = {
  control: 32,
  controlSmall: 26,
  touch: 44,
  row: 36,
  radius: 6,
  panelRadius: 10,
  bar: 48,
  rail: 72,
  card: { width: 224, height: 64 },
} as const;

export const fontSizes = { xs: 12, sm: 13, md: 14, lg: 16, xl: 20, xxl: 28 } as const;
export const spacing = { xs: 4, sm: 8, md: 12, lg: 16, xl: 24 } as const;
export const weights = { regular: 400, medium: 500, strong: 600 } as const;

export const faces = {
  text: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  mono: "'JetBrains Mono Variable', ui-monospace, 'SF Mono', Menlo, monospace",
} as const;

/** Milliseconds. */
export const motion = { in: 120, out: 80, skeletonDelay: 300 } as const;

/** Widths, in pixels, at which a page changes its shape. */
export const breakpoints = { phone: 480, tablet: 768, desktop: 1200 } as const;
