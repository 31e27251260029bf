using System.Buffers.Binary;

namespace Native.LibUsb;

// String descriptors: UTF-16, by language.
public sealed partial class UsbDeviceHandle
{
    private const int MaxStringDescriptor = 255;
    private const byte StringDescriptorType = 3;

    /// <summary>Gets the languages that the device has strings in, as Windows numbers them: 0x0409 is English (United States).</summary>
    /// <returns>The languages; none when the device has no strings.</returns>
    /// <exception cref="UsbException">The device did not answer: <see cref="UsbError.Timeout"/>, <see cref="UsbError.NoDevice"/>.</exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public ushort[] GetLanguages()
    {
        UsbError error = TryGetLanguages(out ushort[] languages);
        if (error is not (UsbError.Success or UsbError.Pipe))
            UsbException.Throw(error, $"read the languages of {Device}");
        return languages;
    }

    /// <summary>Reads one of the device's strings.</summary>
    /// <remarks>
    /// NULs at the end, with which some devices pad their strings, are no part of the text; those between characters are. A surrogate without its
    /// other half becomes U+FFFD.
    /// </remarks>
    /// <param name="index">The string's index, as descriptors give it; 0 is no string.</param>
    /// <param name="language">The language; 0 takes the device's first.</param>
    /// <returns>The text; null when there is none.</returns>
    /// <exception cref="UsbException">
    /// The device did not answer, or its answer is no string descriptor (<see cref="UsbError.IO"/>).
    /// </exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public string? GetString(byte index, ushort language = 0)
    {
        UsbError error = TryGetString(index, out string? text, language);
        if (error is not (UsbError.Success or UsbError.Pipe or UsbError.NotFound))
            UsbException.Throw(error, $"read string {index} of {Device}");
        return text;
    }

    /// <summary>Reads a string as <see cref="GetString"/> does, but returns libusb's answer instead of throwing it.</summary>
    /// <param name="index">Its number; 0 is no string.</param>
    /// <param name="text">The text; null when there is none.</param>
    /// <param name="language">In which language; 0 takes the device's first.</param>
    /// <returns>
    /// <see cref="UsbError.Success"/>; <see cref="UsbError.NotFound"/> when the index is 0 or the device has no strings;
    /// <see cref="UsbError.Pipe"/> when it does not have this one; <see cref="UsbError.IO"/> when the answer is no string descriptor.
    /// </returns>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbError TryGetString(byte index, out string? text, ushort language = 0)
    {
        text = null;
        if (index == 0)
            return UsbError.NotFound;
        if (language == 0)
        {
            UsbError languageError = TryGetLanguages(out ushort[] languages);
            if (languageError != UsbError.Success)
                return languageError;
            if (languages.Length == 0)
                return UsbError.NotFound;
            language = languages[0];
        }

        Span<byte> buffer = stackalloc byte[MaxStringDescriptor];
        UsbError error = ReadStringDescriptor(index, language, buffer, out ReadOnlySpan<byte> content);
        if (error == UsbError.Success)
            text = StringDescriptor.Decode(content);
        return error;
    }

    private UsbError TryGetLanguages(out ushort[] languages)
    {
        languages = [];
        Span<byte> buffer = stackalloc byte[MaxStringDescriptor];
        UsbError error = ReadStringDescriptor(0, 0, buffer, out ReadOnlySpan<byte> content);
        if (error != UsbError.Success)
            return error;
        languages = new ushort[content.Length / sizeof(ushort)];
        for (int i = 0; i < languages.Length; i++)
            languages[i] = BinaryPrimitives.ReadUInt16LittleEndian(content[(i * sizeof(ushort))..]);
        return UsbError.Success;
    }

    /// <summary>Reads one string descriptor and checks that it is one.</summary>
    private UsbError ReadStringDescriptor(byte index, ushort language, Span<byte> buffer, out ReadOnlySpan<byte> content)
    {
        content = default;
        var setup = new UsbControlSetup(
            UsbDirection.In, UsbRequestKind.Standard, UsbRecipient.Device, GetDescriptorRequest, (ushort)((StringDescriptorType << 8) | index), language);
        UsbError error = TryControlRead(setup, buffer, out int received, s_descriptorTimeout);
        if (error != UsbError.Success)
            return error;
        if (received < 2 || buffer[1] != StringDescriptorType || buffer[0] < 2 || buffer[0] > received)
            return UsbError.IO;
        content = buffer[2..buffer[0]];
        return UsbError.Success;
    }
}
