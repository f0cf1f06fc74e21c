"""What a file is: by its content, never by its name. What is not known to be harmless is refused.

Nothing here keeps anything: bytes come in, and come out as they may be kept. Pictures are drawn
anew, which leaves behind whatever was hidden in them or behind them: places, owners, other files.
"""

import io
import re
import unicodedata
import warnings
import zipfile
from dataclasses import dataclass
from typing import Final, Literal

import puremagic
from PIL import Image, ImageOps, UnidentifiedImageError

from apps.core.errors import ProductError

Family = Literal["pdf", "image", "office", "text"]
FAMILIES: Final[tuple[Family, ...]] = ("pdf", "image", "office", "text")
MAX_NAME: Final = 120
#: A picture of more points is no picture for people.
MAX_POINTS: Final = 40_000_000
MAX_ENTRIES: Final = 5000
_HEAD: Final = 8192
_IMAGES: Final = {
    ".png": ("PNG", "image/png"),
    ".jpg": ("JPEG", "image/jpeg"),
    ".jpeg": ("JPEG", "image/jpeg"),
    ".gif": ("GIF", "image/gif"),
    ".webp": ("WEBP", "image/webp"),
}
_EXTENSIONS: Final = {"PNG": ".png", "JPEG": ".jpg", "GIF": ".gif", "WEBP": ".webp"}
_OFFICE: Final = {
    "word/document.xml": (
        ".docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    "xl/workbook.xml": (
        ".xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    "ppt/presentation.xml": (
        ".pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
}
_OPEN_DOCUMENT: Final = {
    f"application/vnd.oasis.opendocument.{kind}": extension
    for kind, extension in (("text", ".odt"), ("spreadsheet", ".ods"), ("presentation", ".odp"))
}
_MACROS: Final = re.compile(r"(^|/)(vbaProject\.bin|Basic/|Scripts/|activeX/)", re.IGNORECASE)
#: Text that a browser would take for a page or a picture.
_MARKUP: Final = re.compile(
    r"<\s*(!doctype|\?xml|html|svg|script|head|body|iframe|style|object|embed|meta|img)\b|<\s*!--",
    re.IGNORECASE,
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


class FileRefused(ProductError):
    """The file is not one that is taken."""

    code = "file_refused"
    status = 422


@dataclass(frozen=True, slots=True)
class Known:
    """A file that may be kept: its content is what is kept, which may differ from what came."""

    family: Family
    type: str
    name: str
    content: bytes


def know(data: bytes, name: str) -> Known:
    """What a file is, cleaned for keeping.

    Raises:
        FileRefused: It is empty, of no kind that is taken, of two kinds at once, or broken.
    """
    if not data:
        raise FileRefused("The file is empty; choose another one.")
    seen = _looks_like(data)
    if seen & set(_IMAGES):
        return _image(data, name, seen)
    if data.startswith(b"%PDF-"):
        return _pdf(data, name)
    if data.startswith(b"PK\x03\x04"):
        return _office(data, name)
    if not seen & _BINARY:
        return _text(data, name)
    raise _unknown()


#: Endings that the library gives to what is run or opened as something else.
_BINARY: Final = frozenset({".exe", ".elf", ".class", ".dll", ".swf", ".rar", ".7z", ".gz", ".bz2"})


def _looks_like(data: bytes) -> set[str]:
    try:
        found = puremagic.magic_string(data[:_HEAD])
    except (puremagic.PureError, ValueError):
        return set()
    return {one.extension.lower() for one in found if one.offset == 0}


def _unknown() -> FileRefused:
    return FileRefused(
        "This kind of file is not taken. PDF, pictures (PNG, JPEG, GIF, WebP), documents of office"
        " programs and plain text are; what a file is called does not matter."
    )


def _image(data: bytes, name: str, seen: set[str]) -> Known:
    """The picture alone, drawn anew."""
    formats = sorted({_IMAGES[one][0] for one in seen & set(_IMAGES)})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=formats) as picture:
                kind = str(picture.format)
                content = _drawn_anew(picture, kind)
    except (UnidentifiedImageError, Image.DecompressionBombError, Warning) as wrong:
        raise FileRefused("The picture cannot be read; save it anew and try again.") from wrong
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError) as wrong:
        raise FileRefused("The picture cannot be read; save it anew and try again.") from wrong
    return Known("image", Image.MIME[kind], named(name, _EXTENSIONS[kind]), content)


def _drawn_anew(picture: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    frames = getattr(picture, "n_frames", 1)
    if picture.width * picture.height * frames > MAX_POINTS:
        raise FileRefused("The picture is too large; make it smaller.")
    if frames > 1 and kind in {"GIF", "WEBP"}:
        kept = []
        for at in range(frames):
            picture.seek(at)
            kept.append(picture.convert("RGBA"))
        waits = picture.info.get("duration", 100)
        kept[0].save(out, kind, save_all=True, append_images=kept[1:], duration=waits, loop=0)
        return out.getvalue()
    # What the camera wrote about its own position is done first, then forgotten with the rest.
    upright = ImageOps.exif_transpose(picture)
    if kind == "JPEG" and upright.mode not in {"L", "RGB", "CMYK"}:
        upright = upright.convert("RGB")
    plain = Image.new(upright.mode, upright.size)
    if upright.mode == "P" and (palette := upright.getpalette()) is not None:
        plain.putpalette(palette)
    plain.paste(upright)
    transparency = upright.info.get("transparency")
    more = {"quality": 90} if kind in {"JPEG", "WEBP"} else {}
    if transparency is not None and kind in {"PNG", "GIF"}:
        plain.save(out, kind, transparency=transparency)
    else:
        plain.save(out, kind, **more)
    return out.getvalue()


def _pdf(data: bytes, name: str) -> Known:
    if b"%%EOF" not in data[-2048:]:
        raise FileRefused("The PDF ends too early; save it anew and try again.")
    if zipfile.is_zipfile(io.BytesIO(data)):
        raise _two_kinds()
    return Known("pdf", "application/pdf", named(name, ".pdf"), data)


def _office(data: bytes, name: str) -> Known:
    """A document of an office program without programs in it; only its list of parts is read."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            names = parts.namelist()
            if len(names) > MAX_ENTRIES or any(
                one.startswith("/") or ".." in one.split("/") for one in names
            ):
                raise _unknown()
            declared = _declared(parts, names)
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError) as wrong:
        raise FileRefused("The document cannot be read; save it anew and try again.") from wrong
    if any(_MACROS.search(one) for one in names):
        raise FileRefused("The document holds a program (a macro); save it without and try again.")
    for part, (extension, type_) in _OFFICE.items():
        if part in names and "[Content_Types].xml" in names:
            return Known("office", type_, named(name, extension), data)
    if declared in _OPEN_DOCUMENT:
        return Known("office", declared, named(name, _OPEN_DOCUMENT[declared]), data)
    raise _unknown()


def _declared(parts: zipfile.ZipFile, names: list[str]) -> str:
    """What an OpenDocument says that it is, in its first part."""
    if not names or names[0] != "mimetype" or parts.getinfo("mimetype").file_size > 100:
        return ""
    return parts.read("mimetype").decode("ascii", "replace").strip()


def _text(data: bytes, name: str) -> Known:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What spreadsheets of old write.
        text = data.decode("cp1252", "replace")
        if "\N{REPLACEMENT CHARACTER}" in text:
            raise _unknown() from None
    if _CONTROL.search(text):
        raise _unknown()
    if b"%PDF-" in data[:1024] or zipfile.is_zipfile(io.BytesIO(data)):
        raise _two_kinds()
    if _MARKUP.search(text[:_HEAD]):
        raise FileRefused("Pages and drawings made of text (HTML, SVG, XML) are not taken.")
    is_csv = name.lower().endswith(".csv")
    extension, type_ = (".csv", "text/csv") if is_csv else (".txt", "text/plain")
    return Known("text", type_, named(name, extension), data)


def _two_kinds() -> FileRefused:
    return FileRefused("The file is of two kinds at once; save it anew and try again.")


def named(name: str, extension: str) -> str:
    """The name without a path and without what cannot be seen, ending as the content asks."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    # Marks that turn the direction of writing make ``exe.fdp`` out of ``pdf.exe``.
    seen = "".join(one for one in last if unicodedata.category(one)[0] != "C")
    plain = " ".join(seen.split()).strip(". ")
    stem, dot, ending = plain.rpartition(".")
    same = {".jpg": {"jpg", "jpeg"}, ".txt": {"txt", "text", "log", "md"}}.get(
        extension, {extension[1:]}
    )
    if dot and ending.lower() in same:
        plain, extension = stem, f".{ending.lower()}"
    return f"{plain.strip('. ')[: MAX_NAME - len(extension)] or 'file'}{extension}"
