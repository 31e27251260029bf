using System.Text;

namespace Native.LibUsb.Testing;

/// <summary>Gives each text of a device its index, and answers string requests.</summary>
internal sealed class StringTable(IReadOnlyList<ushort> languages)
{
    private readonly List<UsbText> _texts = [];

    /// <summary>The index of a text: 0 for none, the same for equal texts.</summary>
    public byte Index(UsbText? text)
    {
        if (text is null)
            return 0;
        int found = _texts.IndexOf(text);
        if (found >= 0)
            return (byte)(found + 1);
        if (_texts.Count == 255)
            throw new InvalidOperationException("A device has at most 255 strings.");
        _texts.Add(text);
        return (byte)_texts.Count;
    }

    /// <summary>The descriptor for an index and a language; null when there is none and the request stalls.</summary>
    public byte[]? Descriptor(byte index, ushort language)
    {
        if (_texts.Count == 0 || languages.Count == 0)
            return null;
        if (index == 0)
            return [(byte)(2 + (languages.Count * 2)), 3, .. languages.SelectMany(BitConverter.GetBytes)];
        if (index > _texts.Count || !languages.Contains(language))
            return null;
        byte[] text = Encoding.Unicode.GetBytes(_texts[index - 1][language]);
        return [(byte)(2 + text.Length), 3, .. text];
    }
}
