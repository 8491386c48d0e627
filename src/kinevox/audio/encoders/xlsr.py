"""XLS-R: wav2vec 2.0 that has heard 128 languages."""

from kinevox.audio.encoders._transformers import TransformersFamily

ENCODER = TransformersFamily(
    "xlsr",
    "XLS-R, 128 languages, 315 M parameters; needs the extra 'encoders' and a download",
    (
        "@inproceedings{babu2022xlsr, title={XLS-R: Self-supervised Cross-lingual Speech "
        "Representation Learning at Scale}, author={Babu, Arun and Wang, Changhan and Tjandra, "
        "Andros and Lakhotia, Kushal and Xu, Qiantong and Goyal, Naman and Singh, Kritika and von "
        "Platen, Patrick and Saraf, Yatharth and Pino, Juan and Baevski, Alexei and Conneau, "
        "Alexis and Auli, Michael}, booktitle={Interspeech}, year={2022}}",
    ),
    model="Wav2Vec2Model",
    usual="facebook/wav2vec2-xls-r-300m",
    tiny={"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True},
)
