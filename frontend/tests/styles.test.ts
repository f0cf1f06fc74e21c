import { describe, expect, it } from 'vitest';
import { physicalIn } from '../scripts/styles.mjs';

describe('a sheet that names a side', () => {
  it.each(['margin-left: 1px', 'border-right-color: red', 'left: 0', 'text-align: right', 'border-top-left-radius: 2px', 'float: left', 'padding-right:0'])('is refused: %s', (line) => {
    expect(physicalIn('static/a.css', `a {\n  ${line};\n}`)).toHaveLength(1);
  });
  it.each(['margin-inline-start: 1px', 'inset-inline-start: 0', 'text-align: start', '/* left: 0 */', '.left { color: red', 'transform: translate(-50%)'])('passes: %s', (line) => {
    expect(physicalIn('static/a.css', `a {\n  ${line};\n}`)).toEqual([]);
  });
  it('is looked for in the pages of the server, too', () => {
    expect(physicalIn('templates/a.html', '<p>left: over</p>\n<p style="margin-left: 2px">a</p>')).toEqual(['templates/a.html:2: margin-left: 2px']);
  });
  it('may be one of a picture, which runs from left to right', () => {
    expect(physicalIn('frontend/src/features/canvas/Card.module.css', 'a { left: 0; }')).toEqual([]);
  });
});
