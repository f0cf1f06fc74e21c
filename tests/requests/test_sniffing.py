"""What a file is goes by its content; what could do harm is refused or left behind."""

import io
import zipfile

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from apps.requests.sniffing import MAX_NAME, FileRefused, know, named

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def picture(kind="PNG", **more):
    out = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(out, kind, **more)
    return out.getvalue()


def archive(*names, first=None, content=b"<x/>"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as parts:
        if first:
            parts.writestr("mimetype", first)
        for name in names:
            parts.writestr(name, content)
    return out.getvalue()


DOCX = archive("[Content_Types].xml", "word/document.xml")
ODT = archive("content.xml", first="application/vnd.oasis.opendocument.text")


@pytest.mark.parametrize(
    ("data", "name", "family", "type_", "called"),
    [
        (PDF, "offer.pdf", "pdf", "application/pdf", "offer.pdf"),
        (PDF, "offer.html", "pdf", "application/pdf", "offer.html.pdf"),
        (picture(), "a.png", "image", "image/png", "a.png"),
        (picture("JPEG"), "a.JPEG", "image", "image/jpeg", "a.jpeg"),
        (picture("GIF"), "a.gif", "image", "image/gif", "a.gif"),
        (picture("WEBP"), "a.webp", "image", "image/webp", "a.webp"),
        (picture(), "virus.exe", "image", "image/png", "virus.exe.png"),
        (DOCX, "letter.docx", "office", None, "letter.docx"),
        (ODT, "letter.odt", "office", "application/vnd.oasis.opendocument.text", "letter.odt"),
        (b"a;b\n1;2\n", "list.csv", "text", "text/csv", "list.csv"),
        ("Grüße".encode(), "note.txt", "text", "text/plain", "note.txt"),
        ("Grüße".encode("cp1252"), "note", "text", "text/plain", "note.txt"),
    ],
)
def test_is_known_by_its_content(data, name, family, type_, called):
    known = know(data, name)
    assert (known.family, known.name) == (family, called)
    assert type_ is None or known.type == type_


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "empty.pdf"),
        (b"MZ\x90\x00" + b"\x00" * 200, "offer.pdf"),
        (b"\x7fELF" + b"\x00" * 200, "picture.png"),
        (b"<!doctype html><script>alert(1)</script>", "note.txt"),
        (b"\xef\xbb\xbf  <html><body>", "note.pdf"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>', "logo.png"),
        (b'<?xml version="1.0"?><a/>', "data.csv"),
        (b"GIF89a/*" + b"=1;alert(1)//" * 20, "a.gif"),
        (picture()[:40], "half.png"),
        (PDF + archive("a.txt"), "two.pdf"),
        (b"%PDF-1.7 half", "half.pdf"),
        (b" " * 20 + PDF, "late.pdf"),
        (archive("a.txt"), "archive.docx"),
        (archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "m.docx"),
        (archive("[Content_Types].xml", "word/document.xml", "../../x"), "path.docx"),
        (archive("x", first="application/x-other"), "odd.odt"),
        (b"PK\x03\x04 broken", "broken.xlsx"),
        (b"text with \x00 in it", "note.txt"),
        (bytes(range(256)) * 8, "noise.bin"),
    ],
    ids=[
        "empty", "exe-as-pdf", "elf-as-png", "html", "html-as-pdf", "svg", "xml", "gif-and-script",
        "half-png", "pdf-and-zip", "half-pdf", "pdf-later", "zip-as-docx", "macro", "path-in-zip",
        "odd-odf", "broken-zip", "nul", "noise",
    ],
)  # fmt: skip
def test_what_could_do_harm_is_refused(data, name):
    with pytest.raises(FileRefused) as refused:
        know(data, name)
    assert refused.value.status == 422


def test_a_picture_keeps_nothing_but_itself():
    exif = Image.Exif()
    exif[0x010E] = "SECRET-PLACE"
    exif[0x0112] = 6
    data = picture("JPEG", exif=exif)
    assert b"SECRET-PLACE" in data
    known = know(data + b"<script>SECRET-TAIL</script>", "a.jpg")
    assert b"SECRET" not in known.content
    with Image.open(io.BytesIO(known.content)) as kept:
        assert not kept.getexif()
        # What the camera said of its own position was done, not lost.
        assert kept.size == (6, 8)


def test_words_inside_a_png_are_left_behind():
    info = PngInfo()
    info.add_text("Author", "SECRET-NAME")
    data = picture("PNG", pnginfo=info)
    assert b"SECRET-NAME" in data
    assert b"SECRET" not in know(data + archive("SECRET"), "a.png").content


def test_a_picture_that_moves_still_moves():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(know(out.getvalue(), "a.gif").content)) as kept:
        assert getattr(kept, "n_frames", 1) == 2


def test_a_picture_of_too_many_points_is_refused_before_it_is_drawn():
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    with pytest.raises(FileRefused, match=r"too large|cannot be read"):
        know(out.getvalue(), "bomb.png")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\ada\\offer.pdf", "offer.pdf"),
        ("..", "file.pdf"),
        ("", "file.pdf"),
        (".htaccess", "htaccess.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"),
        ("fdp\u202efdp.exe", "fdpfdp.exe.pdf"),
        ("a\0b.pdf", "ab.pdf"),
        ("offer.pdf.", "offer.pdf"),
        ("Angebot für Größe.PDF", "Angebot für Größe.pdf"),
    ],
)
def test_a_name_has_no_path_and_nothing_that_cannot_be_seen(name, kept):
    assert named(name, ".pdf") == kept


def test_a_long_name_is_cut_before_its_ending():
    found = named("x" * 500 + ".pdf", ".pdf")
    assert len(found) == MAX_NAME
    assert found.endswith(".pdf")
