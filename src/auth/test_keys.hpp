#pragma once

#include <string_view>

// Keys made for tests, fuzzing and benches alone, one of each kind; `openssl genpkey` made them. They protect nothing.
namespace carillon::auth::test_keys {

inline constexpr std::string_view kSecret = "a secret of thirty-two bytes ...";
inline constexpr std::string_view kLongSecret = "a secret of sixty-four bytes, which is what HS512 asks for .....";

inline constexpr std::string_view kRsaPrivate =
    R"(-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCWavyft90Gh+p0
7YyaELJ9ExYqlhBGglHdvUw+8Oi1Xtz26rw/k+yQGRzk/CXZBOFL5SqIGk3dmNk/
O1qjWVanj1XLsu3R0iTmoLM4B9UHgVr2NHXy093+jv4/24QgBAsklpZwUvrJ8qPw
uWZNyIEqUaNdK5fFzSE1ztR9fLmKaKbDwp4pN8oHvz+Od6EVzPfiTp+bsJCVrk2k
LeOs72FNkQhLI7/vQu9WeYUNm/ql2fLhN+AvcsRkFGhWz3h2g0fR1Kgv7fva+oEr
y24zl0GZc2IiQmqFvn2PlcrdUmXQjZvkGPJheshdoAEfrqHcopm3N2SuHpRPv3S0
ugaF/F47AgMBAAECggEALgsPy2A/wwkFxscUW/CygkC+b0jCMKMhpiuU1EtwIFyq
bNbLyvZf2ngldR6OA1FQGahLjZ/np+Zq0cU8aHYnZWEl1RWvYKPf8czNL2COYB7D
lkvWsv8RnCNvRmLOnfI+6vNBl55+8CRa9Iv7+eFfUHHu/M0kR0MUYGEwgD0WmnwY
JEuVArWByrHuC3FlJP5xs0ynJZa51HG3FMhrPBU8nakLbHBCErDkvW6LFsffXC8g
N20WXmpM1b5QdditwVmcMIyC2JfXZIKlyiH/i0Z8CCRMWiFYm3kBIQiaqFlg6m2W
bLuAGaBMSVHz0/4cIXqRJsecJzMsut42JIDdaYouCQKBgQDK4YtOPVMwfS6UFISs
8rgfAwwKQtfM/GsSs+qo+9wH3V22yEUIhB6dt8hlsExBV8sTj33t0usHCGv+Adr3
NVRT9AnzKYhb6IlbnGNARvsbFCx3qWXHM3jdxXfjYxYJuZ+zdLR+/LX/9GIgM3Hg
1jqUqumVENOa4UwUO+4wcnBb/QKBgQC9zQK7jrR4qokA9UQ4soVt5jXa2oOAf661
yHeZutTwU5tynrtCegWPIwvSVaE23EYsens6iB0RDrGjlrlS+EZS8nf1kbayNCKw
El0lKqqucZHXuHrNWI4tDd5otaNdICy4SJL600mM3Co5gssW6Y6wxPw+N5U4HQKe
rEl+4zNMlwKBgQCprHuvEYazdN4xpf9YDR6DgS7engyROUHrQGEutoTMZwxrQ47I
koZwbTXCJfGAbIZAc69j6RP6q8Z1huOz//vowp5XqRKLmyzVWzN+nF6BxRtzcE7Y
jGm3P+EGYOYbeAziLuaNlZg42g/+0keZPFF96Hq12n6+d1IDUiPgjLT/mQKBgEM5
VXpwtOL4I8Y/GIasVC30l6aINoNQteSUuCeu0LS+KBSUu+ZzqXxlAU7iHVN8+S3P
w82bYBAmkCxMuh706JOAZZSIo5jCdna+SldboVBf0TQClxwb/V9fxiJ4EwBs4On0
anqEU0ycvifYd24KEwvw+RZgQW26eK8SfoV+mzDJAoGBAIXOReXw1oA/zrwYpfkB
wlr/Jh1aB2lxdm3yRR3iyMoXlpTWAc44cc2N+0Wy3vGOj0jaDa6/1380iyaBZkvI
JOODeZ0Oyuh3/zJHw5lpXA/PAjit2WJhjNonFoCWh29+s8p9BwlprOS2LUcFf0Nc
qvzP5SmxqQ6VueuggzyHVVQ/
-----END PRIVATE KEY-----
)";

inline constexpr std::string_view kRsaPublic =
    R"(-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAlmr8n7fdBofqdO2MmhCy
fRMWKpYQRoJR3b1MPvDotV7c9uq8P5PskBkc5Pwl2QThS+UqiBpN3ZjZPztao1lW
p49Vy7Lt0dIk5qCzOAfVB4Fa9jR18tPd/o7+P9uEIAQLJJaWcFL6yfKj8LlmTciB
KlGjXSuXxc0hNc7UfXy5imimw8KeKTfKB78/jnehFcz34k6fm7CQla5NpC3jrO9h
TZEISyO/70LvVnmFDZv6pdny4TfgL3LEZBRoVs94doNH0dSoL+372vqBK8tuM5dB
mXNiIkJqhb59j5XK3VJl0I2b5BjyYXrIXaABH66h3KKZtzdkrh6UT790tLoGhfxe
OwIDAQAB
-----END PUBLIC KEY-----
)";

inline constexpr std::string_view kP256Private =
    R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXPeqKn8luG1EgO31
XWzB79ck4KNU16vl54qZKiBlGhGhRANCAAQ5q6U1AqGSyI1dnIAQ28mVo0Vg+15S
REEYI4NofRTlC60bGmdfSDOB81G+CWMxZGX3/qSoHAZeicRR4ak5j4dZ
-----END PRIVATE KEY-----
)";

inline constexpr std::string_view kP256Public =
    R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOaulNQKhksiNXZyAENvJlaNFYPte
UkRBGCODaH0U5QutGxpnX0gzgfNRvgljMWRl9/6kqBwGXonEUeGpOY+HWQ==
-----END PUBLIC KEY-----
)";

inline constexpr std::string_view kOtherP256Private =
    R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgz/nKjfedo+8FVbEm
2DsexHYB2k5nwwrGRN65S9oSVgqhRANCAARwSaOCBHKNKfLtFqq1RfcfzDGD4Z1W
4xd1jdovvCHmxfl4OyiM+D0dfIZWsEGKH6BhhYdSfG23b/WM79yc3egc
-----END PRIVATE KEY-----
)";

inline constexpr std::string_view kOtherP256Public =
    R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcEmjggRyjSny7RaqtUX3H8wxg+Gd
VuMXdY3aL7wh5sX5eDsojPg9HXyGVrBBih+gYYWHUnxtt2/1jO/cnN3oHA==
-----END PUBLIC KEY-----
)";

inline constexpr std::string_view kP384Private =
    R"(-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDBw+XzcNGM3qdj6Fl06
56WMwlMpxZNTXdVvufEWMGNQFMoVSCA5DpDGGgnOfF7pn7qhZANiAATRtE9zqeP+
3jDYl7xnRmKH39bwRwQpjtuEAPDOpWI3XnrH1PhucFKfq5w5tlasQ+xs4kPIUera
ux1oKim4Ux5/LAkKSs2iFaxAJe0L3T0t/NDzeB56Uw6yiyWnDHKNKP4=
-----END PRIVATE KEY-----
)";

inline constexpr std::string_view kP384Public =
    R"(-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE0bRPc6nj/t4w2Je8Z0Zih9/W8EcEKY7b
hADwzqViN156x9T4bnBSn6ucObZWrEPsbOJDyFHq2rsdaCopuFMefywJCkrNohWs
QCXtC909LfzQ83geelMOsoslpwxyjSj+
-----END PUBLIC KEY-----
)";

inline constexpr std::string_view kEd25519Private =
    R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIIElTqRFvpJwvpZIRh8VJeqFRh1R3MS71p6lr3eEycqA
-----END PRIVATE KEY-----
)";

inline constexpr std::string_view kEd25519Public =
    R"(-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA/igMii4PlqlbxwaBWSu40SSqi8qVGXNZFXVR4hnytus=
-----END PUBLIC KEY-----
)";

inline constexpr std::string_view kP256Encrypted =
    R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiY1YD8ElN+hQICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEP1oVVMwb0qO3fqm7MG8iHsEgZDU
XKvXrOHfbw5zYU3FaHVEDOHP60v4oM4CNvWha9KK9VbX2HuWrhQ6uoAzFqmRS3sp
x5A4rxPoXDGIooNW2fmH+j7TCTvBcbc3cvN5UvJwCVdSy/wfaZXpFy2EycA82kak
YdJ4MHnxMSzzWqakxakrfX94DdL+LgZGzVt+tB/dzIlbBn0OBQHwgu7tZyVmOo8=
-----END ENCRYPTED PRIVATE KEY-----
)";

inline constexpr std::string_view kWeakRsaPublic =
    R"(-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCfDOWVBPhMC/Ch05e3KijK3dQb
xfH+CY6gdJxqwWs+9KlTLbURIqZGCSWh9RPIkmaGs/fo629G5v6+nj56h9mqwkf+
+tqP8efYgNoBTpU1z9tP1/C1hip30A/4GjoPlaQAOSrY7Fnb6sdQumFKCP9oe70P
4GA9v+OKftBayNZ6EwIDAQAB
-----END PUBLIC KEY-----
)";

inline constexpr std::string_view kP521Public =
    R"(-----BEGIN PUBLIC KEY-----
MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQA8COgGJbAdxZ75GqCY3fObxWcqz2P
qVDw9/SyMr47xjLXokU7EYb/0uIxLbTCc5at1mw6Ut96UY9njE/E3d6xKygBQmkY
voQ/kTCxe5oK76X9nBne3UeCNYrQ7+e0Xmx9k6u/82jtC/pDNdFuJWOuzZ24jaZn
XxRjkq/DSiSiMpFL9+w=
-----END PUBLIC KEY-----
)";

inline constexpr std::string_view kRsaPssPublic =
    R"(-----BEGIN PUBLIC KEY-----
MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBANkvgKTKkXS798Eeim5cwgUP
tRlroe8QlvUvKdXKuliZKGg8UAz43iRtwVxJyfrZEHDZfaGh4gf1v8ODUPEdADoQ
cWSlyrUMzGF+ddsLgOzQm2CtS05yWnaW1rhCvYW4PsouPTU0sFxdPk+BZXZykyL0
wZSytV+oDfu991F6y+ThpHj78VG9fV0gA8A47SICA4RK0vvdGBThkYq6hJ9Gr43M
aIJbLlRrwxvLkix15N7HtcnHRqc+4QzYG2FpL9d3hbsErbNXDl5dR7J/iqzAZdvS
6CAHGZj71B5DQ6KcuoHBD7qRvLmKiIB+tXJhAXdwc2Z+4akqooiiZUosyrAOh7EC
AwEAAQ==
-----END PUBLIC KEY-----
)";

inline constexpr std::string_view kCertificate =
    R"(-----BEGIN CERTIFICATE-----
MIIBdDCCARmgAwIBAgIUSbd/jbWHKe6CvLj7/bA7b25WlFowCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAeFw0yNjExMjIxNDAzMDNaFw0yNjExMjMxNDAzMDNa
MA8xDTALBgNVBAMMBHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ5q6U1
AqGSyI1dnIAQ28mVo0Vg+15SREEYI4NofRTlC60bGmdfSDOB81G+CWMxZGX3/qSo
HAZeicRR4ak5j4dZo1MwUTAdBgNVHQ4EFgQUoCIPwiZ1Bag7rlv2i6OlgwZuT5kw
HwYDVR0jBBgwFoAUoCIPwiZ1Bag7rlv2i6OlgwZuT5kwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNJADBGAiEA5oJzKaWzStFusixaV1QPUZ3sx9Zk/b1kgGDB
hqpjqBMCIQD6pd7e/s+NpotPEZPh5uaB/QZQ2jEI93akTpqjQlzOBA==
-----END CERTIFICATE-----
)";

}  // namespace carillon::auth::test_keys
