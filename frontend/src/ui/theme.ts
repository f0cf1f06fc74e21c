import {
  ActionIcon,
  Badge,
  Button,
  Checkbox,
  CloseButton,
  createTheme,
  Drawer,
  Input,
  Loader,
  Menu,
  Modal,
  Popover,
  SegmentedControl,
  Select,
  Tabs,
  Tooltip,
} from '@mantine/core';
import type {
  CSSVariablesResolver,
  MantineColorsTuple,
  VariantColorsResolver,
} from '@mantine/core';
import { breakpoints, faces, fontSizes, motion, palettes, sizes, spacing, weights } from './tokens';
import type { Palette } from './tokens';

const rem = (px: number) => `${px / 16}rem`;
const remAll = <K extends string>(values: Record<K, number>) =>
  Object.fromEntries(Object.entries<number>(values).map(([key, px]) => [key, rem(px)])) as Record<K, string>;

/** Mantine wants ten shades; ours are roles, so a shade is the nearest role. */
const tuple = (p: Palette): MantineColorsTuple => [
  p.page, p.sunken, p.line, p.line, p.control, p.control, p.muted, p.muted, p.text, p.text,
];
const darkTuple = (p: Palette): MantineColorsTuple => [
  p.text, p.muted, p.muted, p.control, p.line, p.sunken, p.surface, p.page, p.page, p.page,
];
const same = (colour: string): MantineColorsTuple =>
  [colour, colour, colour, colour, colour, colour, colour, colour, colour, colour];

const TONES: Record<string, { solid: string; hover: string; on: string; soft: string }> = {
  accent: { solid: '--sb-accent', hover: '--sb-accent-hover', on: '--sb-on-accent', soft: '--sb-accent-soft' },
  danger: { solid: '--sb-failed', hover: '--sb-failed', on: '--sb-surface', soft: '--sb-failed-fill' },
  gray: { solid: '--sb-text', hover: '--sb-text', on: '--sb-surface', soft: '--sb-sunken' },
};

/** Every variant of every control from the tokens, in both schemes at once. */
const variantColorResolver: VariantColorsResolver = ({ color, variant }) => {
  const tone = TONES[color ?? 'accent'] ?? TONES['accent']!;
  const of = (name: string) => `var(${name})`;
  const line = `1px solid ${of('--sb-control')}`;
  const none = '1px solid transparent';
  switch (variant) {
    case 'filled':
      return { background: of(tone.solid), hover: of(tone.hover), color: of(tone.on), border: none };
    case 'light':
      return { background: of(tone.soft), hover: of(tone.soft), color: of(tone.solid), border: none };
    case 'outline':
      return { background: 'transparent', hover: of(tone.soft), color: of(tone.solid), border: `1px solid ${of(tone.solid)}` };
    case 'subtle':
    case 'transparent':
      return { background: 'transparent', hover: of(tone.soft), color: of(color === 'gray' ? '--sb-muted' : tone.solid), border: none };
    default:
      return { background: of('--sb-surface'), hover: of('--sb-sunken'), color: of('--sb-text'), border: line };
  }
};

export const cssVariables: CSSVariablesResolver = () => {
  const both = {
    '--mantine-color-body': 'var(--sb-page)',
    '--mantine-color-text': 'var(--sb-text)',
    '--mantine-color-bright': 'var(--sb-text)',
    '--mantine-color-dimmed': 'var(--sb-muted)',
    '--mantine-color-placeholder': 'var(--sb-muted)',
    '--mantine-color-anchor': 'var(--sb-accent)',
    '--mantine-color-default': 'var(--sb-surface)',
    '--mantine-color-default-hover': 'var(--sb-sunken)',
    '--mantine-color-default-color': 'var(--sb-text)',
    '--mantine-color-default-border': 'var(--sb-line)',
    '--mantine-color-error': 'var(--sb-failed)',
    '--mantine-color-disabled': 'var(--sb-sunken)',
    '--mantine-color-disabled-color': 'var(--sb-muted)',
    '--mantine-color-disabled-border': 'var(--sb-line)',
    '--mantine-primary-color-filled': 'var(--sb-accent)',
    '--mantine-primary-color-filled-hover': 'var(--sb-accent-hover)',
    '--mantine-primary-color-contrast': 'var(--sb-on-accent)',
    '--mantine-primary-color-light': 'var(--sb-accent-soft)',
    '--mantine-primary-color-light-hover': 'var(--sb-accent-soft)',
    '--mantine-primary-color-light-color': 'var(--sb-accent)',
    '--mantine-color-accent-filled': 'var(--sb-accent)',
    '--mantine-color-accent-text': 'var(--sb-accent)',
    '--mantine-color-accent-light': 'var(--sb-accent-soft)',
    '--mantine-color-accent-light-hover': 'var(--sb-accent-soft)',
    '--mantine-color-accent-light-color': 'var(--sb-accent)',
    '--mantine-color-accent-outline': 'var(--sb-accent)',
    '--mantine-color-white': 'var(--sb-surface)',
  };
  return { variables: {}, light: both, dark: both };
};

const transitionProps = { duration: motion.in, exitDuration: motion.out, transition: 'fade' } as const;
const height = (size: unknown) =>
  size === 'xs' ? 'var(--sb-control-small)' : 'var(--sb-control-height)';

export const theme = createTheme({
  primaryColor: 'accent',
  primaryShade: 5,
  colors: {
    accent: same(palettes.light.accent),
    gray: tuple(palettes.light),
    dark: darkTuple(palettes.dark),
  },
  variantColorResolver,
  fontFamily: faces.text,
  fontFamilyMonospace: faces.mono,
  fontSizes: remAll({ xs: fontSizes.xs, sm: fontSizes.sm, md: fontSizes.md, lg: fontSizes.lg, xl: fontSizes.xl }),
  lineHeights: { xs: '1.35', sm: '1.4', md: '1.45', lg: '1.4', xl: '1.3' },
  headings: {
    fontWeight: String(weights.strong),
    sizes: {
      h1: { fontSize: rem(fontSizes.xl), lineHeight: '1.3' },
      h2: { fontSize: rem(fontSizes.lg), lineHeight: '1.4' },
      h3: { fontSize: rem(fontSizes.md), lineHeight: '1.4' },
    },
  },
  spacing: remAll(spacing),
  radius: { xs: rem(4), sm: rem(sizes.radius), md: rem(sizes.radius), lg: rem(sizes.panelRadius), xl: rem(sizes.panelRadius) },
  defaultRadius: 'sm',
  breakpoints: { xs: '30em', sm: `${breakpoints.tablet / 16}em`, md: '62em', lg: `${breakpoints.desktop / 16}em`, xl: '90em' },
  respectReducedMotion: true,
  focusRing: 'never', // tokens.css draws the ring for everything that has focus
  cursorType: 'pointer',
  components: {
    Button: Button.extend({
      defaultProps: { size: 'sm', variant: 'default' },
      vars: (_theme, { size }) => ({
        root: {
          '--button-height': height(size),
          '--button-padding-x': rem(size === 'xs' ? 8 : 12),
          '--button-fz': rem(fontSizes.sm),
        },
      }),
    }),
    ActionIcon: ActionIcon.extend({
      defaultProps: { variant: 'subtle', color: 'gray', size: 'md' },
      vars: (_theme, { size }) => ({ root: { '--ai-size': height(size) } }),
    }),
    Input: Input.extend({
      defaultProps: { size: 'sm' },
      vars: (_theme, { size }) => ({
        wrapper: {
          '--input-height': height(size),
          '--input-fz': rem(fontSizes.sm),
          '--input-bd': 'var(--sb-control)',
          '--input-padding': rem(10),
        },
      }),
    }),
    Checkbox: Checkbox.extend({ defaultProps: { size: 'xs', radius: 'xs' } }),
    CloseButton: CloseButton.extend({ defaultProps: { size: 'md' } }),
    Badge: Badge.extend({ defaultProps: { variant: 'light', radius: 'sm', tt: 'none' } }),
    SegmentedControl: SegmentedControl.extend({ defaultProps: { size: 'xs' } }),
    Tabs: Tabs.extend({ defaultProps: { keepMounted: false } }),
    Select: Select.extend({ defaultProps: { checkIconPosition: 'right' } }),
    Loader: Loader.extend({ defaultProps: { size: 'sm', type: 'oval' } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 300, transitionProps, withinPortal: true, events: { hover: true, focus: true, touch: false } } }),
    // The placeholder that would take the first focus is no menu item, which a menu may not hold.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false, shadow: 'md', transitionProps, position: 'bottom-end' } }),
    Popover: Popover.extend({ defaultProps: { shadow: 'md', transitionProps } }),
    Modal: Modal.extend({ defaultProps: { centered: true, transitionProps, radius: 'lg' } }),
    Drawer: Drawer.extend({ defaultProps: { transitionProps: { duration: motion.in, exitDuration: motion.out } } }),
  },
  shadows: { xs: 'none', sm: 'none', md: 'var(--sb-shadow)', lg: 'var(--sb-shadow)', xl: 'var(--sb-shadow)' },
});
