export function physicalIn(file: string, text: string): string[];
