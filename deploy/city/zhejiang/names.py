"""English names of areas: Hanyu Pinyin of the Chinese name without its kind, made by pypinyin."""

from __future__ import annotations

from deploy.city.zhejiang import codes

ENDINGS = ("畲族自治县", "省", "市", "区", "县")
KINDS = {"district": " District", "county": " County", "county_city": ""}


def english(code: str, name: str) -> str:
    """`浙江省` → `Zhejiang`, `瑞安市` → `Rui'an`, `西湖区` → `Xihu District`."""
    level = codes.level(code)
    return spell(name) + (KINDS[codes.kind(code)] if level == "county" else "")


def spell(name: str) -> str:
    """The name in pinyin, one word; an apostrophe stands before a syllable in a, e or o."""
    from pypinyin import lazy_pinyin

    stem = next((name.removesuffix(e) for e in ENDINGS if name.endswith(e)), name)
    syllables = lazy_pinyin(name)[: len(stem)]
    joined = "".join(("'" if i and s[0] in "aeo" else "") + s for i, s in enumerate(syllables))
    return joined.capitalize()
