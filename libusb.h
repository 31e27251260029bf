/*
 * The generator reads this header, which declares the public interface of libusb 1.0.30.
 *
 * The file includes the installed <libusb-1.0/libusb.h> (1.0.26 or newer), and adds the declarations that the installed header lacks. The additions are public
 * prototypes of libusb, in one block for each version that added declarations. The generated C# therefore does not depend on the installed header.
 *
 *   1.0.26  LIBUSB_API_VERSION 0x01000109   the oldest supported version: Native.LibUsb imports all functions of this version directly
 *   1.0.27                     0x0100010A
 *   1.0.28                     0x0100010A   has additions, but no new number; LIBUSB_BT_SSPLUS_USB_DEVICE_CAPABILITY_SIZE identifies it
 *   1.0.29                     0x0100010B   has no additions
 *   1.0.30                     0x0100010C
 *
 * C cannot add a member to an existing enum, or change the value of a member. This file therefore uses names that end in __added or __changed, which the
 * generator interprets as follows:
 *
 *   enum E__added { M__added = V }      E also has the member M. If E already has M, the two values must be equal.
 *   enum E__added { M__changed = V }    The member M of E has the value V, even if an older header has another value.
 *
 * If two blocks add members to one enum, a suffix keeps the names unique: E__added_1_0_28. The generator orders the members of such an enum by their values.
 *
 * If a function is declared twice, the generator emits it once, with the parameter names of the last declaration.
 * To add the functions of a newer libusb, add a block with their declarations at the end of this file. Add a line for each new name to "since" in
 * generator/settings.json, and add the documentation texts to generator/docs/. Then run `eng/generate.sh`.
 */
#ifndef NATIVE_LIBUSB_GENERATOR_INPUT_H
#define NATIVE_LIBUSB_GENERATOR_INPUT_H

#include <libusb-1.0/libusb.h>

#if !defined(LIBUSB_API_VERSION) || LIBUSB_API_VERSION < 0x01000109
#error "libusb.h of libusb 1.0.26 or newer is needed (LIBUSB_API_VERSION 0x01000109)"
#endif

/* ---- 1.0.27 ---------------------------------------------------------------------------------------------------------- */
#if LIBUSB_API_VERSION < 0x0100010A

#undef ZERO_SIZED_ARRAY                 /* renamed */
#define LIBUSB_FLEXIBLE_ARRAY
#define LIBUSB_CALLV LIBUSB_CALL

#define LIBUSB_DT_INTERFACE_ASSOCIATION_SIZE 8
#define LIBUSB_BT_PLATFORM_DESCRIPTOR_MIN_SIZE 20

enum libusb_descriptor_type__added {
    LIBUSB_DT_INTERFACE_ASSOCIATION__added = 0x0b
};

enum libusb_bos_type__added {
    LIBUSB_BT_PLATFORM_DESCRIPTOR__added = 0x05
};

enum libusb_option__added {
    LIBUSB_OPTION_LOG_CB__added = 3,
    LIBUSB_OPTION_MAX__changed = 4
};

struct libusb_interface_association_descriptor {
    uint8_t bLength;
    uint8_t bDescriptorType;
    uint8_t bFirstInterface;
    uint8_t bInterfaceCount;
    uint8_t bFunctionClass;
    uint8_t bFunctionSubClass;
    uint8_t bFunctionProtocol;
    uint8_t iFunction;
};

struct libusb_interface_association_descriptor_array {
    const struct libusb_interface_association_descriptor *iad;
    int length;
};

struct libusb_platform_descriptor {
    uint8_t bLength;
    uint8_t bDescriptorType;
    uint8_t bDevCapabilityType;
    uint8_t bReserved;
    uint8_t PlatformCapabilityUUID[16];
    uint8_t CapabilityData[LIBUSB_FLEXIBLE_ARRAY];
};

struct libusb_init_option {
    enum libusb_option option;
    union {
        int ival;
        libusb_log_cb log_cbval;
    } value;
};

int LIBUSB_CALL libusb_init_context(libusb_context **ctx, const struct libusb_init_option options[], int num_options);
int LIBUSB_CALL libusb_get_max_alt_packet_size(libusb_device *dev, int interface_number, int alternate_setting, unsigned char endpoint);
int LIBUSB_CALL libusb_get_platform_descriptor(libusb_context *ctx, struct libusb_bos_dev_capability_descriptor *dev_cap,
    struct libusb_platform_descriptor **platform_descriptor);
void LIBUSB_CALL libusb_free_platform_descriptor(struct libusb_platform_descriptor *platform_descriptor);
int LIBUSB_CALL libusb_get_interface_association_descriptors(libusb_device *dev, uint8_t config_index,
    struct libusb_interface_association_descriptor_array **iad_array);
int LIBUSB_CALL libusb_get_active_interface_association_descriptors(libusb_device *dev,
    struct libusb_interface_association_descriptor_array **iad_array);
void LIBUSB_CALL libusb_free_interface_association_descriptors(struct libusb_interface_association_descriptor_array *iad_array);

/* The same functions with the parameter names of 1.0.27. */
const char *LIBUSB_CALL libusb_error_name(int error_code);
int LIBUSB_CALL libusb_control_transfer(libusb_device_handle *dev_handle, uint8_t bmRequestType, uint8_t bRequest,
    uint16_t wValue, uint16_t wIndex, unsigned char *data, uint16_t wLength, unsigned int timeout);
int LIBUSB_CALL libusb_bulk_transfer(libusb_device_handle *dev_handle, unsigned char endpoint, unsigned char *data, int length,
    int *transferred, unsigned int timeout);
int LIBUSB_CALL libusb_interrupt_transfer(libusb_device_handle *dev_handle, unsigned char endpoint, unsigned char *data, int length,
    int *transferred, unsigned int timeout);

#endif

/* ---- 1.0.28 ---------------------------------------------------------------------------------------------------------- */
#ifndef LIBUSB_BT_SSPLUS_USB_DEVICE_CAPABILITY_SIZE

#define LIBUSB_BT_SSPLUS_USB_DEVICE_CAPABILITY_SIZE 12

enum libusb_bos_type__added_1_0_28 {
    LIBUSB_BT_SUPERSPEED_PLUS_CAPABILITY__added = 0x0A
};

enum libusb_speed__added {
    LIBUSB_SPEED_SUPER_PLUS_X2__added = 6
};

enum libusb_superspeedplus_sublink_attribute_sublink_type {
    LIBUSB_SSPLUS_ATTR_TYPE_SYM = 0,
    LIBUSB_SSPLUS_ATTR_TYPE_ASYM = 1
};

enum libusb_superspeedplus_sublink_attribute_sublink_direction {
    LIBUSB_SSPLUS_ATTR_DIR_RX = 0,
    LIBUSB_SSPLUS_ATTR_DIR_TX = 1
};

enum libusb_superspeedplus_sublink_attribute_exponent {
    LIBUSB_SSPLUS_ATTR_EXP_BPS = 0,
    LIBUSB_SSPLUS_ATTR_EXP_KBS = 1,
    LIBUSB_SSPLUS_ATTR_EXP_MBS = 2,
    LIBUSB_SSPLUS_ATTR_EXP_GBS = 3
};

enum libusb_superspeedplus_sublink_attribute_link_protocol {
    LIBUSB_SSPLUS_ATTR_PROT_SS = 0,
    LIBUSB_SSPLUS_ATTR_PROT_SSPLUS = 1
};

struct libusb_ssplus_sublink_attribute {
    uint8_t ssid;
    enum libusb_superspeedplus_sublink_attribute_exponent exponent;
    enum libusb_superspeedplus_sublink_attribute_sublink_type type;
    enum libusb_superspeedplus_sublink_attribute_sublink_direction direction;
    enum libusb_superspeedplus_sublink_attribute_link_protocol protocol;
    uint16_t mantissa;
};

struct libusb_ssplus_usb_device_capability_descriptor {
    uint8_t numSublinkSpeedAttributes;
    uint8_t numSublinkSpeedIDs;
    uint8_t ssid;
    uint8_t minRxLaneCount;
    uint8_t minTxLaneCount;
    struct libusb_ssplus_sublink_attribute sublinkSpeedAttributes[];
};

int LIBUSB_CALL libusb_get_ssplus_usb_device_capability_descriptor(libusb_context *ctx,
    struct libusb_bos_dev_capability_descriptor *dev_cap,
    struct libusb_ssplus_usb_device_capability_descriptor **ssplus_usb_device_cap);
void LIBUSB_CALL libusb_free_ssplus_usb_device_capability_descriptor(
    struct libusb_ssplus_usb_device_capability_descriptor *ssplus_usb_device_cap);

#endif

/* ---- 1.0.30 ---------------------------------------------------------------------------------------------------------- */
#if LIBUSB_API_VERSION < 0x0100010C

#define LIBUSB_DEVICE_STRING_BYTES_MAX (384U)

enum libusb_class_code__added {
    LIBUSB_CLASS_AUDIO_VIDEO__added = 0x10,
    LIBUSB_CLASS_BILLBOARD__added = 0x11,
    LIBUSB_CLASS_TYPE_C_BRIDGE__added = 0x12,
    LIBUSB_CLASS_BULK_DISPLAY_PROTOCOL__added = 0x13,
    LIBUSB_CLASS_MCTP__added = 0x14,
    LIBUSB_CLASS_I3C__added = 0x3c
};

enum libusb_device_string_type {
    LIBUSB_DEVICE_STRING_MANUFACTURER,
    LIBUSB_DEVICE_STRING_PRODUCT,
    LIBUSB_DEVICE_STRING_SERIAL_NUMBER,
    LIBUSB_DEVICE_STRING_COUNT
};

int LIBUSB_CALL libusb_get_device_string(libusb_device *dev, enum libusb_device_string_type string_type, char *data, int length);
unsigned long LIBUSB_CALL libusb_get_session_data(libusb_device *dev);
int LIBUSB_CALL libusb_endpoint_supports_raw_io(libusb_device_handle *dev_handle, uint8_t endpoint);
int LIBUSB_CALL libusb_endpoint_set_raw_io(libusb_device_handle *dev_handle, uint8_t endpoint, int enable);
int LIBUSB_CALL libusb_get_max_raw_io_transfer_size(libusb_device_handle *dev_handle, uint8_t endpoint);

#endif

/* LIBUSB_API_VERSION is now the version of the bound interface, and does not depend on the installed header. */
#undef LIBUSB_API_VERSION
#define LIBUSB_API_VERSION 0x0100010C

#endif
