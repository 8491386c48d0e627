"""How the materials answer light, as GLSL that takes the place of VTK's own lighting.

The lamps hang still beside the camera, so a turntable turns the head in them as in a studio. All
arithmetic is linear; the last lines map tones and encode sRGB. Skin stays lit a little past the
terminator, most in red, as light that has travelled beneath it would do.

Sources: GGX, Walter et al. 2007; Fresnel, Schlick 1994; wrapped diffuse for skin, Green 2004 (GPU
Gems 1, chapter 16); tone curve, Narkowicz 2015; sRGB, IEC 61966-2-1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def _unit(x: float, y: float, z: float) -> tuple[float, ...]:
    return tuple(float(k) for k in np.array([x, y, z]) / np.linalg.norm([x, y, z]))


KEY = _unit(-0.62, 0.58, 0.62)
"""Direction of the main lamp, to the left of the camera and above it."""
FILL = _unit(0.66, 0.02, 0.75)
"""Direction of the dim lamp opposite."""
_RIMS = (_unit(0.80, 0.42, -0.50), _unit(-0.88, 0.25, -0.45))

_LIGHTS = f"""
const vec3 KEY = vec3{KEY}, FILL = vec3{FILL};
const vec3 RIM_1 = vec3{_RIMS[0]}, RIM_2 = vec3{_RIMS[1]};
"""

_FUNCTIONS = """
const vec3 KEY_COLOR = vec3(1.00, 0.92, 0.83) * 2.45;
const vec3 FILL_COLOR = vec3(0.78, 0.88, 1.00) * 0.52;
const vec3 RIM_COLOR = vec3(0.88, 0.94, 1.00) * 1.35;
const vec3 SKY = vec3(0.62, 0.68, 0.76) * 0.52;
const vec3 GROUND = vec3(0.66, 0.52, 0.45) * 0.26;

// A soft pool of light behind the head; `at` runs from 0 to 1 over the picture.
vec3 backdrop(vec2 at, float aspect) {
  vec2 away = (at - vec2(0.5, 0.56)) * vec2(aspect, 1.0);
  float pool = exp(-2.6 * dot(away, away));
  return mix(vec3(0.021, 0.024, 0.029), vec3(0.135, 0.145, 0.158), pool);
}

vec3 soft(vec3 n, vec3 lamp, vec3 wrap) {
  vec3 lit = clamp((dot(n, lamp) + wrap) / (1.0 + wrap), 0.0, 1.0);
  return lit * mix(vec3(1.0), lit, wrap);
}

float glint(vec3 n, vec3 v, vec3 lamp, float roughness) {
  vec3 h = normalize(lamp + v);
  float a = roughness * roughness, nh = max(dot(n, h), 0.0), vh = max(dot(v, h), 0.0);
  float nl = max(dot(n, lamp), 0.0), nv = max(dot(n, v), 0.05);
  float d = nh * nh * (a * a - 1.0) + 1.0;
  float k = 0.5 * a;
  float masking = 4.0 * (nl * (1.0 - k) + k) * (nv * (1.0 - k) + k);
  return nl * a * a / (d * d * masking) * (0.035 + 0.965 * exp2(-9.3 * vh));
}

// sRGB by square roots, which cost a third of a power and are as good to half a level of 255.
vec3 encode(vec3 color) {
  vec3 a = sqrt(clamp(color, 0.0, 1.0)), b = sqrt(a), c = sqrt(b);
  return max(0.662002687 * a + 0.684122060 * b - 0.323583601 * c - 0.0225411470 * a * a, 0.0);
}
"""

_SURFACE = """
vec3 n = normalize(normalVCVSOutput);
vec3 v = normalize(-vertexVC.xyz);
vec3 wrap = vec3({wrap});
float key = lightVS.x, open = lightVS.y, fade = lightVS.z, fill = lightVS.w;
vec3 around = mix(vec3({depth}), vec3(1.0), pow(vec3(open), vec3({bounce})));
vec3 light = around * mix(GROUND, SKY, 0.5 + 0.5 * n.y)
  + key * KEY_COLOR * soft(n, KEY, wrap)
  + fill * FILL_COLOR * soft(n, FILL, wrap)
  + open * RIM_COLOR * (soft(n, RIM_1, 0.3 * wrap) + 0.6 * soft(n, RIM_2, 0.3 * wrap));
float grazing = 1.0 - clamp(dot(n, v), 0.0, 1.0);
float mirror = {mirror} * (0.5 + 0.5 * n.y) * (0.035 + 0.6 * pow(grazing, 4.0));
vec3 shine = key * KEY_COLOR * glint(n, v, KEY, {roughness})
  + fill * FILL_COLOR * glint(n, v, FILL, {roughness})
  + open * SKY * mirror;
// Dark paint on skin is hair, which does not shine as skin does.
float gloss = {gloss} * mix(0.25, 1.0, smoothstep(0.02, 0.16, diffuseColor.r));
vec3 color = diffuseColor * light + gloss * shine;
{extra}
color *= 0.62;
color = color * (2.51 * color + 0.03) / (color * (2.43 * color + 0.59) + 0.14);
if (fade > 0.0) {{
  vec2 at = gl_FragCoord.xy / vec2({width}.0, {height}.0);
  color = mix(color, backdrop(at, {width}.0 / {height}.0), fade);
}}
"""

_BACKDROP = """
vec3 color = backdrop(gl_FragCoord.xy / vec2({width}.0, {height}.0), {width}.0 / {height}.0);
"""

_CATCHLIGHT = """
vec3 window = normalize(vec3(-0.46, 0.40, 0.79));
color += 2.2 * mix(0.4, 1.0, key) * smoothstep(0.966, 0.976, dot(reflect(-v, n), window));
"""


@dataclass(frozen=True)
class Material:
    """Constants of one kind of surface."""

    albedo: tuple[float, float, float]
    """Linear RGB where the head brings no paint."""
    wrap: str = "0.2, 0.2, 0.2"
    """How far light creeps past the terminator, per colour."""
    bounce: str = "1.0"
    """Exponent of the occlusion, per colour: below 1 where light bounces on inside."""
    depth: str = "0.0"
    """Light that is left where nothing of the surroundings is seen, per colour."""
    gloss: float = 1.0
    roughness: float = 0.5
    mirror: float = 0.8
    """Share of the sky's mirror image."""
    extra: str = ""
    """More GLSL that adds to `color`."""
    body: str = _SURFACE

    def vertex_code(self) -> dict[str, str]:
        """What goes to which hook of VTK's vertex shader."""
        return {
            "//VTK::Normal::Dec": "//VTK::Normal::Dec\nin vec4 light;\nout vec4 lightVS;\n",
            "//VTK::Normal::Impl": "//VTK::Normal::Impl\nlightVS = light;\n",
        }

    def fragment_code(self, size: tuple[int, int]) -> dict[str, str]:
        """What goes to which hook of VTK's fragment shader."""
        fields = vars(self) | {"width": size[0], "height": size[1]}
        return {
            "//VTK::Normal::Dec": f"//VTK::Normal::Dec\nin vec4 lightVS;\n{_LIGHTS}{_FUNCTIONS}",
            "//VTK::Light::Impl": self.body.format(**fields)
            + "\ngl_FragData[0] = vec4(encode(color), 1.0);\n",
        }


BACKDROP = Material((0.0, 0.0, 0.0), body=_BACKDROP)
_SKIN = Material(
    (0.50, 0.28, 0.19),
    wrap="0.30, 0.16, 0.10",
    bounce="0.72, 1.0, 1.1",
    depth="0.10, 0.03, 0.025",
    roughness=0.48,
    gloss=0.85,
)
_EYE = Material((0.70, 0.66, 0.63), roughness=0.25, gloss=0.5, mirror=1.5, extra=_CATCHLIGHT)
_TEETH = Material(
    (0.62, 0.57, 0.47), wrap="0.4, 0.4, 0.4", bounce="0.6", depth="0.12, 0.07, 0.06", roughness=0.3
)
_FLESH = Material(
    (0.40, 0.10, 0.09), wrap="0.3, 0.15, 0.1", bounce="0.7", depth="0.1", roughness=0.33
)


def material(part: str) -> Material:
    """The material of a part by its name; whatever is not known is skin."""
    if part.startswith("eye"):
        return _EYE
    if part.startswith("teeth"):
        return _TEETH
    if part.startswith(("tongue", "gum", "mouth")):
        return _FLESH
    return _SKIN
