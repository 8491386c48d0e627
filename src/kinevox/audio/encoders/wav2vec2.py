"""wav2vec 2.0: what FaceFormer, CodeTalker and others hear with."""

from kinevox.audio.encoders._transformers import TransformersFamily

ENCODER = TransformersFamily(
    "wav2vec2",
    "wav2vec 2.0 base, English, 94 M parameters; needs the extra 'encoders' and a download",
    (
        "@inproceedings{baevski2020wav2vec, title={wav2vec 2.0: A Framework for Self-Supervised "
        "Learning of Speech Representations}, author={Baevski, Alexei and Zhou, Yuhao and "
        "Mohamed, Abdelrahman and Auli, Michael}, booktitle={NeurIPS}, year={2020}}",
    ),
    model="Wav2Vec2Model",
    usual="facebook/wav2vec2-base-960h",
    tiny={},
)
