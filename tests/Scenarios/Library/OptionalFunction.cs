using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests.Library;

/// <summary>Represents a function that libusb 1.0.26 does not have, but a later version of libusb has.</summary>
/// <param name="Name">The C name of the function.</param>
/// <param name="Since">The first version of libusb that has the function.</param>
/// <param name="Call">
/// An action that calls the function with zero for each argument. A test may use this action only if libusb does not have the function.
/// </param>
public sealed record OptionalFunction(string Name, Version Since, Action Call)
{
    private static readonly Version s_1_0_27 = new(1, 0, 27);
    private static readonly Version s_1_0_28 = new(1, 0, 28);
    private static readonly Version s_1_0_30 = new(1, 0, 30);

    /// <summary>Gets all functions that libusb has added after version 1.0.26.</summary>
    public static IReadOnlyList<OptionalFunction> All { get; } = List();

    /// <summary>Gets whether the loaded libusb has the function.</summary>
    public bool IsThere => UsbLibrary.HasFunction(Name);

    /// <summary>Returns one line that lists the functions that the loaded libusb does not have.</summary>
    public static string DescribeMissing()
    {
        string[] missing = [.. All.Where(function => !function.IsThere).Select(function => function.Name)];
        return missing.Length == 0 ? "not in this libusb: none, because it has all functions up to 1.0.30" : $"not in this libusb: {string.Join(", ", missing)}";
    }

    private static unsafe OptionalFunction[] List() =>
    [
        new(nameof(libusb.libusb_init_context), s_1_0_27, () => _ = libusb.libusb_init_context(null, null, 0)),
        new(nameof(libusb.libusb_get_max_alt_packet_size), s_1_0_27, () => _ = libusb.libusb_get_max_alt_packet_size(null, 0, 0, 0)),
        new(nameof(libusb.libusb_get_platform_descriptor), s_1_0_27, () => _ = libusb.libusb_get_platform_descriptor(null, null, null)),
        new(nameof(libusb.libusb_free_platform_descriptor), s_1_0_27, () => libusb.libusb_free_platform_descriptor(null)),
        new(nameof(libusb.libusb_get_interface_association_descriptors), s_1_0_27, () => _ = libusb.libusb_get_interface_association_descriptors(null, 0, null)),
        new(nameof(libusb.libusb_get_active_interface_association_descriptors), s_1_0_27, () => _ = libusb.libusb_get_active_interface_association_descriptors(null, null)),
        new(nameof(libusb.libusb_free_interface_association_descriptors), s_1_0_27, () => libusb.libusb_free_interface_association_descriptors(null)),
        new(nameof(libusb.libusb_get_ssplus_usb_device_capability_descriptor), s_1_0_28, () => _ = libusb.libusb_get_ssplus_usb_device_capability_descriptor(null, null, null)),
        new(nameof(libusb.libusb_free_ssplus_usb_device_capability_descriptor), s_1_0_28, () => libusb.libusb_free_ssplus_usb_device_capability_descriptor(null)),
        new(nameof(libusb.libusb_get_device_string), s_1_0_30, () => _ = libusb.libusb_get_device_string(null, 0, null, 0)),
        new(nameof(libusb.libusb_get_session_data), s_1_0_30, () => _ = libusb.libusb_get_session_data(null)),
        new(nameof(libusb.libusb_endpoint_supports_raw_io), s_1_0_30, () => _ = libusb.libusb_endpoint_supports_raw_io(null, 0)),
        new(nameof(libusb.libusb_endpoint_set_raw_io), s_1_0_30, () => _ = libusb.libusb_endpoint_set_raw_io(null, 0, 0)),
        new(nameof(libusb.libusb_get_max_raw_io_transfer_size), s_1_0_30, () => _ = libusb.libusb_get_max_raw_io_transfer_size(null, 0)),
    ];
}
