import { Button } from '@mantine/core';
import type { ButtonProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { ReactNode, Ref } from 'react';

interface Props extends ButtonProps {
  children?: ReactNode;
  ref?: Ref<HTMLAnchorElement>;
}

const Anchor = (props: Props) => <Button component="a" {...props} />;

/** A link that looks like a button: its place, its parameters and its search are those of the router. */
export const LinkButton = createLink(Anchor);
