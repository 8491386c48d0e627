"""HuBERT: what DiffPoseTalk, FaceDiffuser and others hear with."""

from kinevox.audio.encoders._transformers import TransformersFamily

ENCODER = TransformersFamily(
    "hubert",
    "HuBERT base, English, 94 M parameters; needs the extra 'encoders' and a download",
    (
        "@article{hsu2021hubert, title={HuBERT: Self-Supervised Speech Representation Learning by "
        "Masked Prediction of Hidden Units}, author={Hsu, Wei-Ning and Bolte, Benjamin and Tsai, "
        "Yao-Hung Hubert and Lakhotia, Kushal and Salakhutdinov, Ruslan and Mohamed, "
        "Abdelrahman}, journal={IEEE/ACM Transactions on Audio, Speech, and Language Processing}, "
        "year={2021}}",
    ),
    model="HubertModel",
    usual="facebook/hubert-base-ls960",
    tiny={},
)
