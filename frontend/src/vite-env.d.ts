/// <reference types="vite/client" />
declare module 'virtual:tokens.css';
declare module 'virtual:step-icons' {
  import type { Icon } from '@tabler/icons-react';
  const icons: Record<string, Icon>;
  export default icons;
}
declare module '@tabler/icons-react/dist/esm/icons/*.mjs' {
  import type { Icon } from '@tabler/icons-react';
  const icon: Icon;
  export default icon;
}
